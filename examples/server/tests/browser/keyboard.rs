use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const RIGHT: &str = "\u{E014}";
const DOWN: &str = "\u{E015}";
const SPACE: &str = " ";

const FOCUSED_SEQ: &str = "document.activeElement.closest('.entry')?.dataset.seq ?? ''";

async fn tab_to(browser: &Browser, css: &str) -> TestResult {
    let arrived = format!("document.activeElement.matches({css:?})");
    for _ in 0..60 {
        if browser.value(&arrived).await? == true {
            // The focus must be visible.
            let outline = browser.value("getComputedStyle(document.activeElement).outlineStyle").await?;
            return if outline == "solid" { Ok(()) } else { Err(format!("{css} has the outline {outline}").into()) };
        }
        browser.keys(TAB).await?;
    }
    Err(format!("the Tab key does not lead to {css}").into())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_row_can_be_reached_opened_and_closed_by_keyboard() -> TestResult {
    let server = Server::with_entries(5)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 5).await?;
    tab_to(&browser, ".row").await?;
    browser.until(FOCUSED_SEQ, "6").await?;
    browser.keys(DOWN).await?;
    browser.until(FOCUSED_SEQ, "5").await?;

    browser.keys(ENTER).await?;
    browser.until("document.querySelector('.details')?.id ?? null", "details-5").await?;
    browser.until("document.activeElement.getAttribute('aria-expanded')", "true").await?;
    browser.keys(TAB).await?;
    browser.keys(ESCAPE).await?;
    browser.until("document.querySelectorAll('.details').length", 0).await?;
    browser.until("document.activeElement.id", "row-5").await?;
    browser.keys(SPACE).await?;
    browser.until("document.querySelectorAll('.details').length", 1).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn older_entries_can_be_loaded_by_keyboard() -> TestResult {
    let server = Server::with_entries(150)?;
    let browser = Browser::open("about:blank").await?;
    // Otherwise, the page would load them as soon as the button comes into view.
    browser.prepare("IntersectionObserver.prototype.observe = () => {};")?;
    browser.goto(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 100).await?;
    browser.value("[...document.querySelectorAll('.row')].at(-1).focus()").await?;
    tab_to(&browser, "#older").await?;
    browser.keys(ENTER).await?;
    browser.until(ROWS, 150).await?;
    // The focus is on the first of the new rows.
    browser.until(FOCUSED_SEQ, "51").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn filters_and_bars_work_by_keyboard() -> TestResult {
    let server = Server::with_entries(5)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 6).await?;
    browser.until("document.querySelectorAll('.bar').length > 1", true).await?;
    tab_to(&browser, "[data-chip='categories system']").await?;
    browser.keys(SPACE).await?;
    browser.until(ROWS, 1).await?;
    // The focus stays on the chip, so the same key removes the filter.
    browser.keys(SPACE).await?;
    browser.until(ROWS, 6).await?;

    browser.until("document.querySelectorAll('.bar').length > 1", true).await?;
    tab_to(&browser, ".bar").await?;
    browser.keys(RIGHT).await?;
    browser.until("[...document.querySelectorAll('.bar')].indexOf(document.activeElement)", 1).await?;
    browser.keys(ENTER).await?;
    browser.until("location.search.startsWith('?since=')", true).await
}
