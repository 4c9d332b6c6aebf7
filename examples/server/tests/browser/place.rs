use crate::browser::{Browser, MESSAGES, ROWS};
use crate::server::{Server, TestResult, entry};

/// The message of the first row below the top of the window, and where it stands.
const PLACE: &str = "((row) => row.querySelector('.message').textContent + ' at '
    + Math.round(row.getBoundingClientRect().top / 10))(
    [...document.querySelectorAll('#rows .row')].find((row) => row.getBoundingClientRect().bottom > 40))";

/// Scrolls to the entry, and waits until the place is saved.
async fn scroll_to(browser: &Browser, seq: u32) -> TestResult {
    browser
        .until(
            &format!(
                "((row) => row ? (row.scrollIntoView(), true)
                    : (scrollTo(0, document.body.scrollHeight), false))(document.getElementById('row-{seq}'))"
            ),
            true,
        )
        .await?;
    browser.until("history.state?.place?.seq > 0", true).await?;
    browser.value("new Promise((resolve) => setTimeout(resolve, 600))").await?;
    Ok(())
}

/// A page far below the newest entry, with a row open there, once its place is saved.
async fn open_far_below(url: &str) -> TestResult<Browser> {
    let browser = Browser::open(url).await?;
    browser.until(ROWS, 100).await?;
    scroll_to(&browser, 300).await?;
    browser.value("document.querySelector('#row-295').click()").await?;
    browser.value("new Promise((resolve) => setTimeout(resolve, 600))").await?;
    Ok(browser)
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_reload_leads_to_the_same_place_with_the_same_row_open() -> TestResult {
    let server = Server::with_entries(700)?;
    let browser = open_far_below(&server.url("/?categories=device")).await?;
    let place = browser.value(PLACE).await?;
    browser.value("location.reload()").await?;
    browser.until("document.querySelectorAll('#details-295').length", 1).await?;
    browser.until("document.querySelectorAll('.bar').length > 0", true).await?;
    browser.until(PLACE, place).await?;

    // Nothing is missing above, and what is recorded meanwhile waits.
    browser.until("document.getElementById('live').textContent.startsWith('Live')", true).await?;
    server.post(&[entry("Entry 701")])?;
    browser.press("1 new").await?;
    browser.until(&format!("{MESSAGES}[0]"), "Entry 701").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_back_button_leads_to_the_same_place() -> TestResult {
    let server = Server::with_entries(700)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 100).await?;
    scroll_to(&browser, 300).await?;
    let place = browser.value(PLACE).await?;
    browser.value("document.querySelector('#row-295 .action .pick').click()").await?;
    browser.until("location.search", "?categories=device&actions=device.updated").await?;
    browser.until(&format!("{MESSAGES}[0]"), "Entry 700").await?;
    browser.back().await?;
    browser.until(PLACE, place).await?;
    // Every newer entry is there for who scrolls up.
    browser.until(&format!("(scrollTo(0, 0), {MESSAGES}[0])"), "Entry 700").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn back_from_the_link_of_an_entry_leads_to_the_same_place() -> TestResult {
    let server = Server::with_entries(700)?;
    let browser = open_far_below(&server.url("/")).await?;
    let place = browser.value(PLACE).await?;
    browser.click("#details-295 .permalink").await?;
    browser.until("document.activeElement.textContent", "Entry 295").await?;
    browser.back().await?;
    browser.until("document.getElementById('linked').hidden", true).await?;
    browser.until(PLACE, place).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_link_of_an_entry_is_seen_after_a_reload_far_below_too() -> TestResult {
    let server = Server::with_entries(700)?;
    let browser = open_far_below(&server.url("/")).await?;
    browser.value("location.reload()").await?;
    browser.until("document.querySelectorAll('#details-295').length", 1).await?;
    browser.click("#details-295 .permalink").await?;
    browser.until("document.activeElement.textContent", "Entry 295").await?;
    browser.value("new Promise((resolve) => setTimeout(resolve, 1_000))").await?;
    let top = browser.value("document.getElementById('linked').getBoundingClientRect().top").await?;
    assert!(top.as_f64().is_some_and(|top| (0.0..600.0).contains(&top)), "{top}");
    Ok(())
}
