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
    browser.until(&format!("/^Exported [0-9.]+ MB$/.test({STATE})"), true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_export_shows_its_progress_and_can_be_cancelled() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    // A file that never ends.
    browser
        .value(
            "(() => {
                XMLHttpRequest.prototype.send = function () {
                    setTimeout(() => this.dispatchEvent(new ProgressEvent('progress', { loaded: 12_345_678 })));
                };
                XMLHttpRequest.prototype.abort = function () {
                    this.dispatchEvent(new ProgressEvent('abort'));
                };
            })()",
        )
        .await?;
    browser.click("#export-csv").await?;
    browser.until(STATE, "Exporting… 12.3 MB in 1 s").await?;
    browser.press("Cancel").await?;
    browser.until(STATE, "The export was cancelled.").await?;
    browser.until("document.getElementById('cancel-export').hidden", true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn what_the_list_shows_can_be_copied_as_a_curl_command() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/?actor=O'Neil")).await?;
    browser.until(ROWS, 0).await?;
    browser.value("navigator.clipboard.writeText = async (text) => { window.copied = text; }").await?;
    browser.press("curl").await?;
    let list = server.url("/api/v1/activity-log?actor=O%27Neil");
    browser.until("window.copied ?? null", format!("curl '{list}'")).await
}
