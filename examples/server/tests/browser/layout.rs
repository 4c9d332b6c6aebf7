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

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_phone_leaves_room_for_entries_below_the_filters() -> TestResult {
    let server = Server::with_entries(60)?;
    let browser = Browser::open_narrow(&server.url("/")).await?;
    browser.until(ROWS, 61).await?;
    browser.until("document.querySelectorAll('.bar').length > 1", true).await?;
    let top = browser.value("document.querySelector('.row').getBoundingClientRect().top / innerHeight").await?;
    assert!(top.as_f64().is_some_and(|top| top < 0.6), "{top}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn buttons_tell_an_actor_from_a_category_of_the_same_name() -> TestResult {
    let server = Server::start()?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 1).await?;
    browser.click(".row .when").await?;
    browser.press("Only actor system").await?;
    browser.until("location.search", "?actor=system").await
}
