use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_laptop_shows_twenty_rows() -> TestResult {
    let server = Server::with_entries(60)?;
    let browser = Browser::open("about:blank").await?;
    browser.resize(1280, 800)?;
    browser.goto(&server.url("/")).await?;
    browser.until(ROWS, 61).await?;
    browser.until("document.querySelectorAll('.bar').length > 1", true).await?;
    let whole = "[...document.querySelectorAll('.row')]
        .filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length";
    let rows = browser.value(whole).await?;
    assert!(rows.as_u64().is_some_and(|rows| rows >= 20), "{rows}");
    Ok(())
}
