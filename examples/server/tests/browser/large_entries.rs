use diesel::connection::SimpleConnection;
use diesel::prelude::*;

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

/// How long, in milliseconds, the page takes until it has drawn what the click changes.
async fn drawn_after_click(browser: &Browser, css: &str) -> TestResult<f64> {
    let script = format!(
        "(async () => {{
            const started = performance.now();
            document.querySelector({css:?}).click();
            await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
            return performance.now() - started;
        }})()"
    );
    Ok(browser.value(&script).await?.as_f64().unwrap_or(f64::MAX))
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_entry_with_a_million_metadata_elements_opens_at_once_and_can_be_shown_whole() -> TestResult {
    let million = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
        SELECT json_object('elements', json_group_array(i)) FROM n";
    let server = server_with(&format!("metadata = ({million})"))?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    let opened = drawn_after_click(&browser, ".row .when").await?;
    assert!(opened < 3_000.0, "{opened} ms");
    browser.press("As JSON").await?;
    browser.until("document.querySelector('.metadata pre').textContent.length < 20000", true).await?;

    let label = "document.querySelector('.metadata .show-all').textContent";
    browser.until(label, "Show all 1,000,004 lines").await?;
    let shown = drawn_after_click(&browser, ".metadata .show-all").await?;
    assert!(shown < 5_000.0, "{shown} ms");
    browser.until("JSON.parse(document.querySelector('.metadata pre').textContent).elements.length", 1_000_000).await
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
