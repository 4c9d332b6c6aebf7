use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const STATE: &str = "document.getElementById('export-state').textContent";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_failed_export_says_so_on_the_page() -> TestResult {
    let mut server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    server.kill()?;
    browser.click("#export-csv").await?;
    browser.until(STATE, "The export failed. The server cannot be reached.").await?;
    browser.until("document.getElementById('export-state').getAttribute('role')", "alert").await?;

    server.start_again()?;
    browser.click("#export-csv").await?;
    browser.until(&format!("{STATE}.startsWith('Exported ')"), true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_finished_export_is_a_file_with_every_entry() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 3).await?;
    // What the browser would save.
    browser
        .value("URL.createObjectURL = ((real) => (blob) => real.call(URL, (window.saved = blob)))(URL.createObjectURL)")
        .await?;
    browser.click("#export-ndjson").await?;
    browser.until("window.saved?.text().then((text) => text.trim().split('\\n').length) ?? null", 3).await?;
    browser.until(&format!("/^Exported activity-log.*[.]ndjson, /.test({STATE})"), true).await
}
