use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::browser::{Browser, MESSAGES, ROWS, STATE};
use crate::server::{Server, TestResult, entry};

const SEQS: &str = "[...document.querySelectorAll('.entry')].map((item) => Number(item.dataset.seq))";
const COUNT: &str = "document.getElementById('count').textContent";
const SCROLL_TO_END: &str = "scrollTo(0, document.body.scrollHeight)";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_newest_entry_is_on_top_and_shows_its_main_fields() -> TestResult {
    let server = Server::start()?;
    server.post(&[
        entry("Older"),
        json!({"category": "capture", "action": "capture.slow", "actor": "bob", "message": "Only 41 of 60 frames",
            "severity": "warning", "entity_type": "device", "entity_id": "7", "entity_name": "Lamp",
            "ts": "2026-01-02T03:04:05.123456Z"}),
    ])?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 3).await?;

    let texts = "['severity', 'when', 'category', 'actor', 'action', 'message', 'entity-type', 'entity-name']
        .map((name) => document.querySelector(`.row .${name}`).textContent)";
    let shown = browser.value(texts).await?;
    let expected = ["Warning", "2 Jan", "capture", "bob", "capture.slow", "Only 41 of 60 frames", "device", "Lamp"]
        .map(Value::from);
    let shown = shown.as_array().cloned().unwrap_or_default();
    assert_eq!(shown.len(), expected.len());
    for (shown, expected) in shown.iter().zip(&expected) {
        // In other years, the time also shows the year.
        assert!(
            shown.as_str().unwrap_or_default().starts_with(expected.as_str().unwrap_or("?")),
            "{shown}, {expected}"
        );
    }
    let exact =
        browser.value("document.querySelector('.when').title + document.querySelector('.when').dateTime").await?;
    assert!(exact.as_str().is_some_and(|exact| exact.matches("05.123456").count() == 2), "{exact}");
    browser.until("document.querySelector('.row .icon use').getAttribute('href')", "#icon-warning").await?;
    browser.until(COUNT, "3 entries").await?;
    browser.until("document.querySelector('.live').textContent", "Live").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn scrolling_to_the_end_shows_every_entry_exactly_once() -> TestResult {
    let server = Server::with_entries(1_234)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 100).await?;
    browser.value(SCROLL_TO_END).await?;
    // An entry that is recorded meanwhile must not change that.
    server.post(&[entry("Entry 1235")])?;

    let at_end = format!("({SCROLL_TO_END}, document.getElementById('foot-text').textContent)");
    browser.until(&at_end, "No older entries.").await?;
    browser.press("1 new").await?;
    browser.until(SEQS, (1..=1_236).rev().collect::<Vec<i64>>()).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn rows_beyond_some_thousands_are_dropped_and_can_be_loaded_again() -> TestResult {
    let server = Server::with_entries(4_500)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 100).await?;

    let at_end = format!("({SCROLL_TO_END}, document.getElementById('foot-text').textContent)");
    browser.until(&at_end, "No older entries.").await?;
    let last = browser.value(&format!("{SEQS}.at(-1)")).await?;
    assert_eq!(last, 1);
    let rows = browser.value(ROWS).await?;
    assert!(rows.as_u64().is_some_and(|rows| (2_000..4_000).contains(&rows)), "{rows}");
    // Whatever the size of the log: a page holds no more rows than these.
    let heap = browser.heap_bytes()?;
    assert!(heap < 5e6, "{heap} bytes");

    browser.press("Back to the newest").await?;
    browser.until(&format!("{MESSAGES}[0]"), "Entry 4500").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn rows_that_were_dropped_come_back_when_the_reader_scrolls_up() -> TestResult {
    let server = Server::with_entries(4_500)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 100).await?;
    let at_end = format!("({SCROLL_TO_END}, document.getElementById('foot-text').textContent)");
    browser.until(&at_end, "No older entries.").await?;
    server.post(&[entry("Entry 4501")])?;
    browser.until("document.querySelector('#news:not([hidden])')?.textContent ?? null", "1 new").await?;
    browser.until(&format!("(scrollTo(0, 0), {MESSAGES}[0])"), "Entry 4501").await?;
    let seqs: Vec<i64> = serde_json::from_value(browser.value(SEQS).await?)?;
    assert!(seqs.windows(2).all(|pair| matches!(pair, [newer, older] if newer - older == 1)), "{seqs:?}");
    browser.until("document.getElementById('live').textContent", "Live").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_view_without_entries_says_what_to_do() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/?message_contains=nothing+like+it")).await?;
    browser.until(STATE, "No entries match these filters").await?;
    browser.until(COUNT, "0 entries").await?;

    browser.press("Clear all filters").await?;
    browser.until(ROWS, 4).await?;
    browser.until(STATE, Value::Null).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn when_the_server_is_gone_the_page_says_so_and_tries_again() -> TestResult {
    let mut server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    server.kill()?;
    browser.press("device").await?;
    browser.until(STATE, "The entries could not be loaded").await?;

    server.start_again()?;
    browser.press("Try again").await?;
    browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await?;
    browser.until(STATE, Value::Null).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_filter_that_the_server_refuses_is_named() -> TestResult {
    let server = Server::with_entries(1)?;
    let browser = Browser::open(&server.url("/?since=yesterday")).await?;
    browser.until(STATE, "The entries could not be loaded").await?;
    browser.until("document.querySelector('#state p').textContent.includes('`since` is not')", true).await?;

    browser.press("Clear all filters").await?;
    browser.until(ROWS, 2).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_narrow_screen_scrolls_in_one_direction_only() -> TestResult {
    let server = Server::start()?;
    let long = "a-word-that-is-far-longer-than-any-screen-".repeat(5);
    let entry = |ts| {
        json!({"category": long, "action": long, "actor": long, "message": long, "entity_type": long,
            "entity_id": long, "entity_name": long, "metadata": {&long: long}, "ts": ts})
    };
    server.post(&[entry("2026-01-01T00:00:00Z"), entry("2026-01-31T00:00:00Z")])?;
    let browser = Browser::open_narrow(&server.url(&format!("/?message_contains={long}&actor={long}"))).await?;
    browser.until(ROWS, 2).await?;
    browser.click(".row .when").await?;
    browser.until("document.querySelectorAll('.details').length", 1).await?;
    browser.until("document.querySelectorAll('.bar').length > 30", true).await?;
    assert_eq!(browser.value("[innerWidth, document.documentElement.scrollWidth]").await?, json!([360, 360]));
    // Nothing in the open row is cut off either.
    let wide = "[...document.querySelectorAll('.details, .details *')]
        .filter((part) => part.clientWidth > 0 && part.scrollWidth > part.clientWidth).map((part) => part.className)";
    assert_eq!(browser.value(wide).await?, json!([]));
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_unreadable_entry_has_a_row_that_says_so() -> TestResult {
    let server = Server::start()?;
    server.post(&[entry("Older"), entry("Broken"), entry("Newer")])?;
    let mut conn = SqliteConnection::establish(&server.database())?;
    conn.batch_execute("UPDATE activity_log SET severity = 'fatal' WHERE message = 'Broken'")?;
    let browser = Browser::open(&server.url("/?actor=alice")).await?;
    browser.until_messages(&["Newer", "Older"]).await?;
    let rows = "[...document.querySelectorAll('.entry')].map((row) => row.className).join(', ')";
    browser.until(rows, "entry info, entry unreadable, entry info").await?;
    let text = "document.querySelector('.unreadable').textContent";
    assert_eq!(browser.value(text).await?, "Entry 3 is stored but cannot be read.");
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_name_beside_the_export_links_is_sent_with_them_and_remembered() -> TestResult {
    let server = Server::start()?;
    let browser = Browser::open(&server.url("/?message_contains=server")).await?;
    browser.until(ROWS, 1).await?;
    browser.type_into("#exported-by", "Ada").await?;
    let parameters = "[...new URL(document.getElementById('export-csv').href).searchParams].join(' ')";
    browser.until(parameters, "message_contains,server format,csv exported_by,Ada").await?;
    browser.goto(&server.url("/")).await?;
    browser.until(parameters, "format,csv exported_by,Ada").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_jump_to_the_end_loads_one_page_and_leaves_the_reader_there() -> TestResult {
    let server = Server::with_entries(3_000)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 100).await?;
    browser.value("scrollTo(0, document.documentElement.scrollHeight)").await?;
    browser.until(ROWS, 200).await?;
    // What is loaded below moves nobody down to the next end.
    browser.value("new Promise((resolve) => setTimeout(resolve, 1_500))").await?;
    assert_eq!(browser.value(ROWS).await?, 200);
    Ok(())
}
