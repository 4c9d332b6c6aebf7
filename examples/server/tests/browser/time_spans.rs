use serde_json::{Value, json};

use crate::browser::{Browser, MESSAGES, ROWS};
use crate::server::{Server, TestResult, entry};

const AXIS: &str = "[...document.querySelectorAll('.axis span')].map((label) => label.textContent)";
const PRESSED: &str = "[...document.querySelectorAll('#spans [aria-pressed=true]')].map((chip) => chip.textContent)";

fn at(ts: &str, message: &str) -> Value {
    json!({"category": "device", "action": "a", "actor": "b", "message": message, "ts": ts})
}

/// Looks for what the page says of entries outside of the bars, and has it show them up to the last year there is.
async fn show_what_is_outside(browser: &Browser, said: &str, button: &str) -> TestResult {
    browser.until("document.querySelector('.outside')?.firstChild.textContent", said).await?;
    browser.press(button).await?;
    browser.until("document.querySelector('.outside').textContent", "Show recent times only").await?;
    browser.until(&format!("{AXIS}.at(-1).includes('9999')"), true).await
}

/// The labels of the axis, as soon as there are bars.
async fn axis(browser: &Browser) -> TestResult<Vec<String>> {
    browser.until("document.querySelectorAll('.bar').length > 1", true).await?;
    Ok(serde_json::from_value(browser.value(AXIS).await?)?)
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_preset_shows_the_entries_of_that_time_and_its_address_stays_relative() -> TestResult {
    let server = Server::start()?;
    server.post(&[at("2026-01-02T10:00:00Z", "Long ago"), entry("Now")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until_messages(&["Now", "Long ago"]).await?;
    browser.until(PRESSED, json!(["All"])).await?;
    browser.press("1 h").await?;
    browser.until_messages(&["Now"]).await?;
    browser.until("location.search", "?categories=device&since=-1h").await?;
    browser.until(PRESSED, json!(["1 h"])).await?;
    browser.until("document.getElementById('count').textContent", "1 entry").await?;
    browser.until("document.getElementById('live').textContent", "Live").await?;
    server.post(&[entry("Newer")])?;
    browser.until_messages(&["Newer", "Now"]).await?;

    browser.press("All").await?;
    browser.until_messages(&["Newer", "Now", "Long ago"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn outliers_do_not_flatten_the_histogram_and_are_counted() -> TestResult {
    let server = Server::with_entries(3)?;
    server.post(&[at("1970-01-01T00:00:00Z", "Clock at zero"), at("9998-01-01T00:00:00Z", "Clock in the future")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(&format!("{MESSAGES}.length"), 5).await?;
    show_what_is_outside(&browser, "2 entries are outside the last 24 h. ", "Show them too").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_entry_from_the_future_is_counted_beside_a_span_until_now() -> TestResult {
    let server = Server::with_entries(3)?;
    server.post(&[at("9998-01-01T00:00:00Z", "Clock in the future")])?;
    let browser = Browser::open(&server.url("/?categories=device&since=-15m")).await?;
    browser.until(&format!("{MESSAGES}.length"), 4).await?;
    show_what_is_outside(&browser, "1 entry is outside the last 15 min. ", "Show it too").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_labels_of_a_short_axis_differ() -> TestResult {
    let server = Server::start()?;
    server.post(&[at("2026-01-02T10:00:00.1Z", "First"), at("2026-01-02T10:00:00.9Z", "Last")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    let mut labels = axis(&browser).await?;
    let count = labels.len();
    labels.sort();
    labels.dedup();
    assert!(count >= 2 && labels.len() == count, "{labels:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_axis_names_the_year_where_it_is_not_the_present_one() -> TestResult {
    let server = Server::start()?;
    server.post(&[at("2019-03-01T10:00:00Z", "First"), at("2021-03-01T10:00:00Z", "Last")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    let labels = axis(&browser).await?.join(" | ");
    assert!(labels.contains("2019") && labels.contains("2020") && labels.contains("2021"), "{labels}");
    browser.until(ROWS, 2).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn dragging_across_bars_selects_their_time() -> TestResult {
    let server = Server::start()?;
    let times = ["10:00", "11:00", "12:00", "13:00"];
    server.post(&times.map(|time| at(&format!("2026-01-02T{time}:00Z"), time)))?;
    let browser = Browser::open("about:blank").await?;
    browser.move_to("UTC")?;
    browser.goto(&server.url("/?categories=device")).await?;
    // A bar for each five minutes.
    browser.until("document.querySelectorAll('.bar').length", 37).await?;
    browser.drag(".bar:nth-child(10)", ".bar:nth-child(27)").await?;
    browser.until_messages(&["12:00", "11:00"]).await?;
    let bounds = "['since', 'until'].map((bound) => new URLSearchParams(location.search).get(bound))";
    browser.until(bounds, json!(["2026-01-02T10:45:00Z", "2026-01-02T12:14:59.999999Z"])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn shift_and_the_arrow_keys_select_bars() -> TestResult {
    let server = Server::start()?;
    let times = ["10:00", "10:05", "12:00"];
    server.post(&times.map(|time| at(&format!("2026-01-02T{time}:00Z"), time)))?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until("document.querySelectorAll('.bar').length", 25).await?;
    browser.value("document.querySelector('.bar').focus()").await?;
    browser.keys("\u{E008}\u{E014}").await?;
    browser.until("document.querySelectorAll('.bar.selected').length", 2).await?;
    browser.keys("\u{E007}").await?;
    browser.until_messages(&["10:05", "10:00"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn wrong_clocks_make_no_bar_of_all_others_when_only_one_end_is_chosen() -> TestResult {
    let server = Server::with_entries(3)?;
    server.post(&[at("1970-01-01T00:00:00Z", "Clock at zero"), at("9998-01-01T00:00:00Z", "Clock in the future")])?;
    let note = "document.querySelector('#histogram .outside')?.textContent ?? null";
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.press("Today").await?;
    browser.until(note, "1 entry is in the future. Show it too").await?;
    let tomorrow = (chrono::Utc::now() + chrono::TimeDelta::days(1)).format("%Y-%m-%dT%H:%M:%SZ");
    browser.goto(&server.url(&format!("/?categories=device&until={tomorrow}"))).await?;
    browser.until(note, "1 entry is earlier. Show it too").await
}
