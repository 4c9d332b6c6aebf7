//! What the operator of a log is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use activity_log::RetentionRun;
use activity_log_axum::{ApiError, Retention, RetentionChange, RetentionSettings, Routes};
use axum::Router;
use axum::middleware::from_fn_with_state;
use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use serde_json::json;

use crate::browser::{Browser, ROWS};
use crate::mounted::{Log, guard, serve};
use crate::server::{Server, TestResult, entry};

const NAMES: &str = "[...document.querySelectorAll('#log dt')].map((name) => name.textContent)";
const PROBLEM: &str = "document.getElementById('log-problem').textContent";

fn fact(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('#log dt')].find((found) => found.textContent === '{name}')?.nextSibling.textContent"
    )
}

async fn open(browser: &Browser) -> TestResult {
    browser.press("Log").await?;
    browser.until("document.querySelectorAll('#log-facts dt').length > 0", true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_panel_tells_the_size_of_the_log_and_how_its_recorder_is_doing() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    open(&browser).await?;
    browser.until(&format!("/^[\\d,.]+ [kM]B$/.test({})", fact("Size")), true).await?;
    browser.until(&fact("Entries"), "about 4").await?;
    browser.until(&fact("Search index"), "on").await?;
    browser.until(&fact("Unreadable rows"), "none seen").await?;
    browser.until(&fact("Recorder"), "working").await?;
    assert_eq!(browser.complaints()?, [""; 0]);
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_panel_follows_the_log_while_it_is_open_and_asks_for_nothing_while_it_is_closed() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    let asked = "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/status')).length";
    assert_eq!(browser.value(asked).await?, 0);
    open(&browser).await?;
    server.post(&[entry("News")])?;
    browser.until(&fact("Entries"), "about 5").await?;
    browser.keys("\u{E00C}").await?;
    browser.until("document.querySelector('#log:popover-open')", json!(null)).await?;
    let before = browser.value(asked).await?;
    let later = "new Promise((later) => setTimeout(later, 3_500))";
    browser.value(later).await?;
    assert_eq!(browser.value(asked).await?, before);
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_panel_says_when_it_can_tell_nothing_and_recovers() -> TestResult {
    let mut server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    open(&browser).await?;
    server.kill()?;
    browser.until(PROBLEM, "The state of the log could not be loaded. The server cannot be reached.").await?;
    browser.until(NAMES, json!([])).await?;
    server.start_again()?;
    browser.until(&fact("Recorder"), "working").await?;
    browser.until(PROBLEM, "").await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_panel_says_since_when_nothing_is_recorded() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    let mut other = SqliteConnection::establish(&server.database())?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    let address = server.url("/api/v1/activity-log");
    let posted = tokio::task::spawn_blocking(move || _ = ureq::post(address).send_json(entry("Waits")));
    open(&browser).await?;
    let failing = format!(
        "/^not recording since \\d+ \\w+, [\\d:]+; \\d+ failed attempts?; 1 entry waiting$/.test({})",
        fact("Recorder")
    );
    browser.until(&failing, true).await?;
    other.batch_execute("ROLLBACK")?;
    browser.until(&fact("Recorder"), "working").await?;
    Ok(posted.await?)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_panel_leads_to_the_rows_that_cannot_be_read() -> TestResult {
    let server = Server::with_entries(9)?;
    SqliteConnection::establish(&server.database())?
        .batch_execute("UPDATE activity_log SET ts = 'then' WHERE message = 'Entry 2' OR message > 'Entry 3'")?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until("document.querySelectorAll('#rows > li').length", 10).await?;
    open(&browser).await?;
    let seen = fact("Unreadable rows");
    browser.until(&format!("/^[78]: 1?,? ?3, 5, 6, 7, /.test({seen})"), true).await?;
    browser.click("#log-facts a[href='#entry-3']").await?;
    browser.until("location.hash", "#entry-3").await?;
    browser.until("document.querySelector('#log:popover-open')", json!(null)).await?;
    browser.until("document.querySelectorAll('#linked:not([hidden]) li').length", 1).await
}

/// A retention whose settings stay as they are.
struct Fixed;

impl Retention for Fixed {
    fn settings(&self) -> Result<RetentionSettings, ApiError> {
        Ok(RetentionSettings::new(true, Some(1), Some(10_000)))
    }

    fn change(&self, _: &RetentionChange) -> Result<(), ApiError> {
        Ok(())
    }

    fn last_run(&self) -> Option<RetentionRun> {
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn what_the_host_does_not_have_is_left_out() -> TestResult {
    let log = Log::create()?;
    let refused = Arc::new(AtomicU64::new(1_234));
    let count = Arc::clone(&refused);
    let router = Router::new()
        .nest("/bare", log.viewer()?.into_router())
        .nest("/without", log.viewer()?.routes(Routes::default().without_status()).into_router())
        .nest(
            "/rich",
            log.viewer()?.retention(Fixed).sign_ins_refused(move || count.load(Ordering::Relaxed)).into_router(),
        );
    let address = serve(router).await?;
    log.record("One")?;
    let browser = Browser::open(&format!("{address}/bare")).await?;
    browser.until(ROWS, 1).await?;
    open(&browser).await?;
    browser.until(NAMES, json!(["Size", "Entries", "Search index", "Unreadable rows"])).await?;
    browser.until(&fact("Search index"), "off").await?;
    assert_eq!(browser.value("document.getElementById('retention').hidden").await?, true);

    browser.goto(&format!("{address}/rich")).await?;
    browser.until(ROWS, 1).await?;
    open(&browser).await?;
    let rules = "Entries older than 1 day are deleted. Only the newest 10,000 entries are kept.";
    browser.until(&fact("Retention"), rules).await?;
    browser.until(&fact("Last run"), "not yet").await?;
    browser.until(&fact("Sign-ins refused"), "1,234").await?;
    refused.store(1_235, Ordering::Relaxed);
    browser.until(&fact("Sign-ins refused"), "1,235").await?;
    // It may not be changed here.
    assert_eq!(browser.value("document.getElementById('retention').hidden").await?, true);

    browser.goto(&format!("{address}/without")).await?;
    browser.until(ROWS, 1).await?;
    assert_eq!(browser.value("document.getElementById('show-log').checkVisibility()").await?, false);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_panel_closes_when_the_session_of_the_reader_ends() -> TestResult {
    let log = Log::create()?;
    let is_signed_in = Arc::new(AtomicBool::new(true));
    let guard = from_fn_with_state(Arc::clone(&is_signed_in), guard);
    let address = serve(log.viewer()?.into_router().layer(guard)).await?;
    log.record("Secret")?;
    let browser = Browser::open(&address).await?;
    browser.until(ROWS, 1).await?;
    open(&browser).await?;
    is_signed_in.store(false, Ordering::Relaxed);
    browser.until("document.querySelector('#log:popover-open')", json!(null)).await?;
    browser.until("document.getElementById('show-log').hidden", true).await?;
    browser.until("document.querySelector('#sign-in:not([hidden]) h2')?.textContent", "You are signed out").await
}
