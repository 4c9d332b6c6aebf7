use std::time::Duration;

use diesel::connection::SimpleConnection;
use tokio::time::sleep;

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult, entry};

const LIVE: &str = "document.getElementById('live').textContent";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn live_says_how_many_new_entries_are_not_shown() -> TestResult {
    let server = Server::with_entries(80)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(LIVE, "Live").await?;
    browser.click(".row .when").await?;
    server.post(&[entry("Entry 81")])?;
    browser.until(LIVE, "Live · 1 new entry not shown").await?;
    // Once the row is closed, nothing holds the entry back.
    browser.click(".row .when").await?;
    browser.until("document.querySelector('.row .message').textContent", "Entry 81").await?;
    browser.until(LIVE, "Live").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_paused_list_stays_as_it_is_until_it_is_resumed() -> TestResult {
    let server = Server::with_entries(1)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(LIVE, "Live").await?;
    browser.press("Pause").await?;
    browser.until(LIVE, "Paused").await?;
    server.post(&[entry("Entry 2"), entry("Entry 3")])?;
    browser.until(LIVE, "Paused · 2 new entries not shown").await?;
    browser.until_messages(&["Entry 1"]).await?;
    browser.press("Resume").await?;
    browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await?;
    browser.until(LIVE, "Live").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_button_that_shows_new_entries_covers_no_filter() -> TestResult {
    let server = Server::with_entries(1)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(LIVE, "Live").await?;
    browser.press("Pause").await?;
    server.post(&[entry("Entry 2")])?;
    browser.until("document.getElementById('news').textContent", "1 new").await?;
    let place = "(id) => document.getElementById(id).getBoundingClientRect()";
    browser.until(&format!("(({place})('news').top >= ({place})('columns').bottom)"), true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn entries_that_were_cleared_leave_the_page_and_it_says_so() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(LIVE, "Live").await?;
    browser.until(ROWS, 3).await?;
    server.clear()?;
    browser.until(ROWS, 0).await?;
    browser.until(LIVE, "Live · entries were deleted").await?;
    server.post(&[entry("Entry after it")])?;
    browser.until_messages(&["Entry after it"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn entries_that_were_cleared_leave_although_the_entry_about_it_is_new_on_the_page() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(LIVE, "Live").await?;
    browser.until(ROWS, 4).await?;
    server.clear()?;
    browser.until(ROWS, 1).await?;
    browser.until(LIVE, "Live · entries were deleted").await?;
    // The reader who asks for something else knows.
    browser.press("Errors").await?;
    browser.until(LIVE, "Live").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_entry_that_grows_older_than_the_span_of_the_page_is_not_taken_for_deleted() -> TestResult {
    let server = Server::with_entries(0)?;
    let browser = Browser::open(&server.url("/?categories=device&since=-15m")).await?;
    // It leaves the last fifteen minutes before the page looks again whether it is there.
    let almost = "fetch('/api/v1/activity-log', { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ category: 'device', action: 'a', actor: 'b', message: 'Old',
            ts: new Date(Date.now() - 897_000).toISOString() }) }).then(({ status }) => status)";
    assert_eq!(browser.value(almost).await?, 201);
    browser.until_messages(&["Old"]).await?;
    sleep(Duration::from_secs(11)).await;
    assert_eq!(browser.value(LIVE).await?, "Live");
    browser.until_messages(&["Old"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_reader_with_an_open_row_is_told_that_entries_were_deleted() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(LIVE, "Live").await?;
    browser.click(".row .when").await?;
    server.clear()?;
    browser.press("Entries were deleted: reload").await?;
    browser.until(ROWS, 1).await?;
    browser.until("document.querySelector('.row .action').textContent", "activity_log_cleared").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn windows_beyond_the_fourth_notice_that_the_log_was_restored() -> TestResult {
    let server = Server::with_entries(3)?;
    let url = |number: usize| server.url(&format!("/?categories=device,{number}"));
    let browser = Browser::open(&url(0)).await?;
    for number in 1..6 {
        browser.open_another(&url(number)).await?;
        browser.until(LIVE, "Live").await?;
    }
    let mut other = activity_log::connect(&server.database())?;
    other.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    server.post(&[entry("Entry of the restored log")])?;
    browser.until_messages(&["Entry of the restored log"]).await?;
    browser.until(LIVE, "Live · the log was restored").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_log_of_a_standby_is_shown_and_said_not_to_be_live() -> TestResult {
    let server = Server::with_entries(2)?;
    let browser = Browser::open(&server.url("/healthz")).await?;
    // Answers as those of a standby: no stream, and nothing about what is newer than an entry.
    browser.prepare(
        "delete window.SharedWorker;
         window.EventSource = class extends EventSource {
             constructor(address) { super(address.replace('/stream', '/no/stream')); }
         };
         window.fetch = ((real) => async (address, options) =>
             String(address).includes('after_seq') ? new Response('{}', { status: 501 }) : real(address, options)
         )(window.fetch);",
    )?;
    browser.goto(&server.url("/?categories=device")).await?;
    browser.until(LIVE, "Not live: this database is a standby").await?;
    browser.until("document.getElementById('pause').hidden", true).await?;
    browser.until_messages(&["Entry 2", "Entry 1"]).await
}
