use diesel::connection::SimpleConnection;
use serde_json::Value;

use crate::browser::{Browser, MESSAGES, ROWS};
use crate::server::{Server, TestResult, entry};

const NEWS: &str = "document.querySelector('#news:not([hidden])')?.textContent ?? null";
const LIVE: &str = "document.getElementById('live').textContent";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn new_entries_that_match_the_filters_appear_on_top() -> TestResult {
    let server = Server::with_entries(1)?;
    let browser = Browser::open(&server.url("/?categories=device&message_contains=entry")).await?;
    browser.until_messages(&["Entry 1"]).await?;
    browser.until(LIVE, "Live").await?;
    server.post(&[entry("Entry 2"), entry("Another"), entry("Entry 3")])?;
    browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await?;
    // The count is updated too.
    browser.until("document.getElementById('count').textContent", "3 entries").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_first_entry_of_an_empty_view_appears_too() -> TestResult {
    let server = Server::start()?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(LIVE, "Live").await?;
    browser.until("document.querySelectorAll('#state:not([hidden])').length", 1).await?;
    server.post(&[entry("Entry 1")])?;
    browser.until_messages(&["Entry 1"]).await?;
    browser.until("document.querySelectorAll('#state:not([hidden])').length", 0).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_reader_who_has_scrolled_down_is_notified_and_not_disturbed() -> TestResult {
    let server = Server::with_entries(80)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 80).await?;
    browser.until(LIVE, "Live").await?;
    browser.value("scrollTo(0, 1000)").await?;
    browser.until("scrollY", 1000).await?;
    server.post(&[entry("Entry 81"), entry("Entry 82")])?;
    browser.until(NEWS, "2 new").await?;
    server.post(&[entry("Entry 83")])?;
    browser.until(NEWS, "3 new").await?;
    browser.until("document.title", "(3) Activity log").await?;
    assert_eq!(browser.value("scrollY").await?, 1000);
    assert_eq!(browser.value(&format!("{MESSAGES}[0]")).await?, "Entry 80");

    browser.press("3 new").await?;
    browser.until("scrollY", 0).await?;
    browser.until(&format!("{MESSAGES}.slice(0, 4)"), vec!["Entry 83", "Entry 82", "Entry 81", "Entry 80"]).await?;
    browser.until(NEWS, Value::Null).await?;
    browser.until("document.title", "Activity log").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_reader_who_scrolls_back_up_sees_the_new_entries() -> TestResult {
    let server = Server::with_entries(80)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 80).await?;
    browser.until(LIVE, "Live").await?;
    browser.value("scrollTo(0, 1000)").await?;
    browser.until("scrollY", 1000).await?;
    server.post(&[entry("Entry 81")])?;
    browser.until(NEWS, "1 new").await?;
    browser.value("scrollTo(0, 0)").await?;
    browser.until(NEWS, Value::Null).await?;
    browser.until(&format!("{MESSAGES}.slice(0, 2)"), vec!["Entry 81", "Entry 80"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn after_the_server_was_down_no_entry_is_missing_or_shown_twice() -> TestResult {
    let mut server = Server::with_entries(1)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(LIVE, "Live").await?;
    server.post(&[entry("Entry 2")])?;
    browser.until_messages(&["Entry 2", "Entry 1"]).await?;

    server.kill()?;
    browser.until(LIVE, "Reconnecting…").await?;
    server.start_again()?;
    // Probably before the page has reconnected.
    server.post(&[entry("Entry 3")])?;
    browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await?;
    browser.until(LIVE, "Live").await?;
    server.post(&[entry("Entry 4")])?;
    browser.until_messages(&["Entry 4", "Entry 3", "Entry 2", "Entry 1"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_log_that_is_restored_is_read_again_and_the_page_says_so() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await?;
    browser.until(LIVE, "Live").await?;
    let mut other = activity_log::connect(&server.database())?;
    other.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    server.post(&[entry("Entry of the restored log")])?;
    browser.until_messages(&["Entry of the restored log"]).await?;
    browser.until(LIVE, "Live · the log was restored").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn more_news_than_wait_move_nothing_while_the_list_is_paused() -> TestResult {
    let server = Server::with_entries(80)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 80).await?;
    browser.until(LIVE, "Live").await?;
    browser.press("Pause").await?;
    server.post(&(0..600).map(|number| entry(&format!("New {number}"))).collect::<Vec<_>>())?;
    browser.until(LIVE, "Paused · 600 new entries not shown").await?;
    browser.value("new Promise((resolve) => setTimeout(resolve, 1_000))").await?;
    assert_eq!(browser.value(&format!("[scrollY, {ROWS}]")).await?, serde_json::json!([0, 80]));
    browser.press("600 new").await?;
    browser.until(&format!("{MESSAGES}[0]"), "New 599").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_reader_who_comes_back_up_sees_how_many_news_are_left() -> TestResult {
    let server = Server::with_entries(80)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 80).await?;
    browser.until(LIVE, "Live").await?;
    browser.value("scrollTo(0, 1_800)").await?;
    server.post(&(0..600).map(|number| entry(&format!("New {number}"))).collect::<Vec<_>>())?;
    browser.until(NEWS, "600 new").await?;
    browser.value("scrollTo(0, 600)").await?;
    browser.until(NEWS, "500 new").await?;
    browser.until(ROWS, 180).await
}
