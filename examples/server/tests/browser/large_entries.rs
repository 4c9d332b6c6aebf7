use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult, entry};

/// A server with an entry that exceeds what the recorder accepts, as another program may have written it.
fn server_with(assignment: &str) -> TestResult<Server> {
    let server = Server::start()?;
    server.post(&[entry("Large")])?;
    let mut conn = SqliteConnection::establish(&server.database())?;
    conn.batch_execute(&format!("UPDATE activity_log SET {assignment} WHERE message = 'Large'"))?;
    Ok(server)
}

/// How much the page draws of the open row.
const ELEMENTS: &str = "document.querySelectorAll('.details *').length";
const CHARACTERS: &str = "document.querySelector('.details').textContent.length";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_entry_with_a_million_metadata_elements_is_drawn_in_part_and_can_be_shown_whole() -> TestResult {
    let million = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
        SELECT json_object('elements', json_group_array(i)) FROM n";
    let server = server_with(&format!("metadata = ({million})"))?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    // Drawing each of the elements is what took a quarter of a minute.
    browser.click(".row .when").await?;
    browser.until(&format!("{ELEMENTS} > 20 && {ELEMENTS} < 1000"), true).await?;
    assert_eq!(browser.value(&format!("{CHARACTERS} < 20000")).await?, true);
    browser.press("As JSON").await?;
    browser.until("document.querySelectorAll('.metadata pre').length", 1).await?;
    assert_eq!(browser.value(&format!("{CHARACTERS} < 20000")).await?, true);

    let label = "document.querySelector('.metadata .show-all').textContent";
    browser.until(label, "Show all 1,000,004 lines").await?;
    // The browser says which parts of the text it lays out: those in view.
    let watch = "window.laidOut = 0;
        addEventListener('contentvisibilityautostatechange', ({ skipped }) => { if (!skipped) window.laidOut += 1; }, true);";
    browser.run(watch).await?;
    browser.press("Show all 1,000,004 lines").await?;
    browser.until("JSON.parse(document.querySelector('.metadata pre').textContent).elements.length", 1_000_000).await?;
    browser.until(&format!("{ELEMENTS} > 1000 && {ELEMENTS} < 5000"), true).await?;
    browser.until("laidOut > 0", true).await?;
    browser.until("laidOut < 20", true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_hundred_long_changes_push_nothing_away() -> TestResult {
    let server = Server::start()?;
    let changes =
        (0..100).map(|number| (format!("field {number}"), json!({"from": "x".repeat(900), "to": "y".repeat(900)})));
    let changes = changes.collect::<serde_json::Map<_, _>>();
    server.post(&[
        json!({"category": "device", "action": "a", "actor": "b", "message": "Much", "metadata": {"changed": changes}}),
    ])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.click(".row .when").await?;
    browser.until("document.querySelectorAll('.changes tbody tr').length", 50).await?;
    browser.until("document.querySelector('.details').getBoundingClientRect().height < 1000", true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_message_of_a_megabyte_pushes_nothing_away() -> TestResult {
    let server = server_with("message = replace(hex(zeroblob(500000)), '00', 'ab ')")?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    browser.click(".row .when").await?;
    let height = "document.querySelector('.details').offsetHeight < 900";
    browser.until(height, true).await?;
    browser.press("Show all 1,500,000 characters").await?;
    browser.until("document.querySelector('.full-message').textContent.length", 1_500_000).await?;
    browser.until(height, true).await?;
    // The button is gone, and the focus stays in the text, which the keyboard can scroll.
    browser.until("document.activeElement.closest('dd')?.className", "full-message").await
}
