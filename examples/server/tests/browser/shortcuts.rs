use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const FOCUSED_SEQ: &str = "document.activeElement.closest('.entry')?.dataset.seq ?? ''";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn j_and_k_move_along_the_rows_and_enter_opens_one() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 3).await?;
    browser.keys("j").await?;
    browser.until(FOCUSED_SEQ, "4").await?;
    browser.keys("jj").await?;
    browser.until(FOCUSED_SEQ, "2").await?;
    browser.keys("k").await?;
    browser.until(FOCUSED_SEQ, "3").await?;
    browser.keys(ENTER).await?;
    browser.until("document.querySelector('.details')?.id ?? null", "details-3").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_slash_leads_to_the_search_in_which_letters_are_letters() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    browser.keys("/").await?;
    browser.until("document.activeElement.id", "search").await?;
    browser.keys("j/?").await?;
    browser.until("document.getElementById('search').value", "j/?").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_question_mark_shows_the_keys_until_escape() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    browser.keys("?").await?;
    browser.until("document.getElementById('help')?.open ?? false", true).await?;
    browser.until("document.querySelectorAll('#help dt').length >= 5", true).await?;
    browser.keys(ESCAPE).await?;
    browser.until("document.getElementById('help').open", false).await
}
