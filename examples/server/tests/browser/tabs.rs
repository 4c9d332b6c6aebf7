use serde_json::json;

use crate::browser::{Browser, MESSAGES};
use crate::server::{Server, TestResult, entry};

/// More than the six connections that a browser opens to one server.
const PAGES: usize = 8;
const LIVE: &str = "document.getElementById('live').textContent";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn eight_windows_of_one_browser_show_a_new_entry() -> TestResult {
    let server = Server::with_entries(1)?;
    let url = server.url("/?categories=device");
    let browser = Browser::open(&url).await?;
    let mut pages = vec![browser.page().await?];
    while pages.len() < PAGES {
        pages.push(browser.open_another(&url).await?);
        browser.until_messages(&["Entry 1"]).await?;
        browser.until(LIVE, "Live").await?;
    }
    server.post(&[entry("Entry 2")])?;
    for page in &pages {
        browser.switch_to(page).await?;
        browser.until_messages(&["Entry 2", "Entry 1"]).await?;
    }

    // The others do not depend on the first.
    browser.switch_to(pages.first().ok_or("no page")?).await?;
    browser.close_page().await?;
    server.post(&[entry("Entry 3")])?;
    for page in pages.iter().skip(1) {
        browser.switch_to(page).await?;
        browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn eight_windows_with_filters_of_their_own_leave_connections_for_other_requests() -> TestResult {
    let server = Server::with_entries(1)?;
    let url = |number: usize| server.url(&format!("/?categories=device,{number}"));
    let browser = Browser::open(&url(0)).await?;
    let mut pages = vec![browser.page().await?];
    while pages.len() < PAGES {
        pages.push(browser.open_another(&url(pages.len())).await?);
        browser.until_messages(&["Entry 1"]).await?;
        browser.until(LIVE, "Live").await?;
    }
    server.post(&[entry("Entry 2")])?;
    for page in &pages {
        browser.switch_to(page).await?;
        browser.until_messages(&["Entry 2", "Entry 1"]).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn pages_that_share_a_stream_each_show_every_entry_once() -> TestResult {
    let server = Server::with_entries(1)?;
    let url = server.url("/?categories=device");
    let browser = Browser::open(&url).await?;
    browser.until(LIVE, "Live").await?;
    server.post(&[entry("Entry 2")])?;
    browser.until_messages(&["Entry 2", "Entry 1"]).await?;
    let first = browser.page().await?;
    browser.open_another(&url).await?;
    browser.until(LIVE, "Live").await?;
    server.post(&[entry("Entry 3")])?;
    browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await?;
    browser.switch_to(&first).await?;
    browser.until_messages(&["Entry 3", "Entry 2", "Entry 1"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_hidden_page_lets_go_of_its_stream_until_it_is_shown() -> TestResult {
    let server = Server::with_entries(1)?;
    let url = server.url("/?categories=device");
    let browser = Browser::open(&url).await?;
    browser.until(LIVE, "Live").await?;
    let first = browser.page().await?;
    browser.hide().await?;
    browser.until(LIVE, "").await?;
    browser.open_another(&url).await?;
    browser.until(LIVE, "Live").await?;
    server.post(&[entry("Entry 2")])?;
    browser.until_messages(&["Entry 2", "Entry 1"]).await?;

    browser.switch_to(&first).await?;
    assert_eq!(browser.value(MESSAGES).await?, json!(["Entry 1"]));
    browser.show().await?;
    browser.until_messages(&["Entry 2", "Entry 1"]).await?;
    browser.until(LIVE, "Live").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_browser_without_shared_workers_shows_new_entries_too() -> TestResult {
    let server = Server::with_entries(1)?;
    let browser = Browser::open("about:blank").await?;
    browser.prepare("delete window.SharedWorker;")?;
    browser.goto(&server.url("/?categories=device")).await?;
    browser.until(LIVE, "Live").await?;
    server.post(&[entry("Entry 2")])?;
    browser.until_messages(&["Entry 2", "Entry 1"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_first_page_does_not_take_the_stream_of_another_with_it_when_it_crashes() -> TestResult {
    let server = Server::with_entries(1)?;
    let url = server.url("/?categories=device");
    let browser = Browser::open(&url).await?;
    browser.until(LIVE, "Live").await?;
    let first = browser.page().await?;
    let other = browser.open_another(&url).await?;
    browser.until(LIVE, "Live").await?;
    browser.switch_to(&first).await?;
    browser.crash()?;

    browser.switch_to(&other).await?;
    server.post(&[entry("Entry 2")])?;
    browser.until_messages(&["Entry 2", "Entry 1"]).await
}
