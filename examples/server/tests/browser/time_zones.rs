use serde_json::{Value, json};

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const TIMES: &str = "[...document.querySelectorAll('.row .when')].map((cell) => cell.textContent)";
const STARTS: &str = "[...document.querySelectorAll('.bar')].map((bar) => bar.title.split(' – ')[0])";

fn at(ts: &str) -> Value {
    json!({"category": "device", "action": "a", "actor": "b", "message": ts, "ts": ts})
}

/// A browser in a zone that is ahead of UTC by five and a half hours.
async fn browser_in_india(url: &str) -> TestResult<Browser> {
    let browser = Browser::open("about:blank").await?;
    browser.move_to("Asia/Kolkata")?;
    browser.goto(url).await?;
    Ok(browser)
}

async fn choose(browser: &Browser, name: &str, value: &str) -> TestResult {
    browser.press("View").await?;
    browser.click(&format!("#view input[name={name}][value={value}]")).await?;
    browser.keys("\u{E00C}").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn times_can_be_absolute_and_in_utc_and_the_browser_remembers_it() -> TestResult {
    let server = Server::start()?;
    server.post(&[at("2024-03-04T20:00:05.5Z")])?;
    let browser = browser_in_india(&server.url("/?categories=device")).await?;
    browser.until(TIMES, json!(["5 Mar 2024"])).await?;
    choose(&browser, "times", "absolute").await?;
    browser.until(TIMES, json!(["5 Mar 2024, 01:30:05"])).await?;
    browser
        .until("((time) => time.scrollWidth <= time.clientWidth)(document.querySelector('.row .when'))", true)
        .await?;
    browser.click(".row .when").await?;
    let exact = "document.querySelector('.details time').textContent";
    browser
        .until(&format!("{exact}.startsWith('5 Mar 2024, 01:30:05.5') && {exact}.endsWith(' UTC+05:30')"), true)
        .await?;

    choose(&browser, "zone", "utc").await?;
    browser.until(TIMES, json!(["4 Mar 2024, 20:00:05"])).await?;
    browser.until(&format!("{exact}.startsWith('4 Mar 2024, 20:00:05.5') && {exact}.endsWith(' UTC')"), true).await?;
    let header = "getComputedStyle(document.querySelector('#columns .zoned'), '::after').content";
    browser.until(header, "\" (UTC)\"").await?;
    browser.goto(&server.url("/?categories=device")).await?;
    browser.until(TIMES, json!(["4 Mar 2024, 20:00:05"])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn bars_begin_on_hours_and_days_of_the_chosen_zone() -> TestResult {
    let server = Server::start()?;
    server.post(&[at("2024-03-04T20:10:00Z"), at("2024-03-05T22:10:00Z")])?;
    let browser = browser_in_india(&server.url("/?categories=device")).await?;
    browser.until(&format!("{STARTS}[0]"), "5 Mar 2024, 01:30").await?;
    browser.until(&format!("{STARTS}[1]"), "5 Mar 2024, 02:00").await?;
    choose(&browser, "zone", "utc").await?;
    browser.until(&format!("{STARTS}[0]"), "4 Mar 2024, 20:00").await?;

    browser.goto(&server.url("/?categories=device&since=2024-02-01T20:00:00Z&until=2024-03-20T00:00:00Z")).await?;
    browser.until(&format!("{STARTS}[1]"), "2 Feb 2024, 00:00").await?;
    choose(&browser, "zone", "local").await?;
    browser.until(&format!("{STARTS}[0]"), "2 Feb 2024, 00:00").await?;
    browser.until(&format!("{STARTS}.every((start) => start.endsWith('00:00'))"), true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn bars_of_days_begin_at_midnight_before_and_after_the_clocks_change() -> TestResult {
    let server = Server::start()?;
    server.post(&[at("2024-03-20T12:00:00Z"), at("2024-04-20T12:00:00Z")])?;
    let browser = Browser::open("about:blank").await?;
    browser.move_to("Europe/Berlin")?;
    browser.goto(&server.url("/?categories=device&since=2024-03-01T00:00:00Z&until=2024-04-20T20:00:00Z")).await?;
    browser.until(&format!("{STARTS}.length"), 51).await?;
    browser.until(&format!("{STARTS}.every((start) => start.endsWith('00:00'))"), true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn from_and_to_are_times_of_the_chosen_zone() -> TestResult {
    let server = Server::start()?;
    server.post(&[at("2024-03-04T20:10:00Z")])?;
    let browser = browser_in_india(&server.url("/?categories=device&since=2024-03-04T20:00:00Z")).await?;
    browser.until(ROWS, 1).await?;
    let from = "document.querySelector('input[name=since]').value";
    browser.until(from, "2024-03-05T01:30").await?;
    choose(&browser, "zone", "utc").await?;
    browser.until(from, "2024-03-04T20:00").await?;
    browser.until("new URLSearchParams(location.search).get('since')", "2024-03-04T20:00:00Z").await?;
    browser.press("More filters").await?;
    browser
        .value(
            "((input) => {
                input.value = '2024-03-04T19:00';
                input.dispatchEvent(new Event('input', { bubbles: true }));
            })(document.querySelector('input[name=since]'))",
        )
        .await?;
    browser.until("new URLSearchParams(location.search).get('since')", "2024-03-04T19:00:00.000Z").await
}
