use serde_json::json;

use crate::browser::Browser;
use crate::server::{Server, TestResult};

fn server_with_entries_a_second_apart() -> TestResult<Server> {
    let server = Server::start()?;
    let at = |ts, message| json!({"category": "device", "action": "a", "actor": "b", "message": message, "ts": ts});
    server.post(&[
        at("2026-01-02T10:00:04.9Z", "Before"),
        at("2026-01-02T10:00:05.123456Z", "Within"),
        at("2026-01-02T10:00:06Z", "After"),
        at("2026-01-02T10:01:00Z", "A minute later"),
    ])?;
    Ok(server)
}

/// Fills a date field as a reader does. Typed keys would depend on the locale of the browser.
async fn choose(browser: &Browser, name: &str, local: &str) -> TestResult {
    let chosen = format!(
        "((input) => {{
            input.focus();
            input.value = {local:?};
            input.dispatchEvent(new Event('input', {{ bubbles: true }}));
        }})(document.querySelector('input[name={name}]'))"
    );
    browser.value(&chosen).await?;
    let shown = format!("location.search.includes('{name}=') && document.querySelector('input[name={name}]').value");
    browser.until(&shown, local).await
}

/// The local time of a time in UTC, as a date field takes it.
async fn local(browser: &Browser, utc: &str) -> TestResult<String> {
    let script = format!(
        "((date) => new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19))(new Date({utc:?}))"
    );
    Ok(browser.value(&script).await?.as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn from_and_to_at_the_second_of_an_entry_find_the_entry() -> TestResult {
    let server = server_with_entries_a_second_apart()?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.press("More filters").await?;
    let second = local(&browser, "2026-01-02T10:00:05Z").await?;
    choose(&browser, "until", &second).await?;
    browser.until_messages(&["Within", "Before"]).await?;
    choose(&browser, "since", &second).await?;
    browser.until_messages(&["Within"]).await?;
    browser.until("new URLSearchParams(location.search).get('until')", "2026-01-02T10:00:05.999999Z").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_time_that_is_picked_with_a_finger_is_the_whole_minute() -> TestResult {
    let server = server_with_entries_a_second_apart()?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.press("More filters").await?;
    browser.value("(window.matchMedia = () => ({ matches: true }), true)").await?;
    let second = local(&browser, "2026-01-02T10:00:00Z").await?;
    let minute = second.get(..16).unwrap_or_default();
    choose(&browser, "since", minute).await?;
    choose(&browser, "until", minute).await?;
    browser.until_messages(&["After", "Within", "Before"]).await?;

    // The address leads to the same entries.
    let address = browser.value("location.href").await?;
    browser.goto(address.as_str().unwrap_or_default()).await?;
    browser.until_messages(&["After", "Within", "Before"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_second_that_is_zero_is_a_second_as_any_other() -> TestResult {
    let server = server_with_entries_a_second_apart()?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.press("More filters").await?;
    for (minute, found) in [("2026-01-02T10:01:00Z", vec!["A minute later"]), ("2026-01-02T10:00:00Z", vec![])] {
        let second = local(&browser, minute).await?;
        let minute = second.get(..16).unwrap_or_default();
        choose(&browser, "since", minute).await?;
        choose(&browser, "until", minute).await?;
        browser.until_messages(&found).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_span_that_ends_before_it_begins_is_said_to() -> TestResult {
    let server = server_with_entries_a_second_apart()?;
    let address = "/?categories=device&since=2026-01-03T10:00:00Z&until=2026-01-02T10:00:00Z";
    let browser = Browser::open(&server.url(address)).await?;
    browser.until("document.querySelector('#state p')?.textContent", "“From” is later than “To”.").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_chip_of_one_second_names_it_once() -> TestResult {
    let server = server_with_entries_a_second_apart()?;
    let browser = Browser::open(&server.url("/?since=2026-01-02T10:00:05Z&until=2026-01-02T10:00:05.999999Z")).await?;
    browser.until_messages(&["Within"]).await?;
    browser.until("document.querySelector('#active .removable').textContent.match(/:\\d\\d:05/g).length", 1).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_chip_of_a_long_span_names_its_ends_to_the_minute() -> TestResult {
    let server = server_with_entries_a_second_apart()?;
    let browser = Browser::open(&server.url("/?since=2025-12-01T10:05:00Z&until=2026-01-03T10:06:00Z")).await?;
    browser.until_messages(&["A minute later", "After", "Within", "Before"]).await?;
    let chip = "document.querySelector('#active .removable').textContent.match(/:0[56]/g)";
    browser.until(chip, json!([":05", ":06"])).await
}
