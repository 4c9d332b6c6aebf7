use serde_json::json;

use crate::browser::{Browser, MESSAGES, ROWS};
use crate::server::{Server, TestResult};

const SEARCH: &str = "location.search";
const PRESSED: &str =
    "[...document.querySelectorAll('#filters :not(#spans) > [aria-pressed=true]')].map((chip) => chip.textContent)";

fn server_with_entries() -> TestResult<Server> {
    let server = Server::start()?;
    server.post(&[
        json!({"category": "auth", "action": "user.signed_in", "actor": "alice", "message": "Alice signed in"}),
        json!({"category": "device", "action": "device.updated", "actor": "alice", "message": "Dimmed to 50 %",
            "severity": "warning", "entity_type": "device", "entity_id": "7"}),
        json!({"category": "device", "action": "device.lost", "actor": "bob+co", "message": "Lost_the lamp",
            "severity": "error", "entity_type": "device", "entity_id": "8", "ts": "2026-01-01T10:00:00Z"}),
        json!({"category": "billing", "action": "invoice.sent", "actor": "bob+co", "message": "Sent 500 invoices",
            "ts": "2026-01-01T11:00:00Z"}),
    ])?;
    Ok(server)
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn chips_narrow_the_list_and_widen_it_again() -> TestResult {
    let server = server_with_entries()?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.press("device").await?;
    browser.until_messages(&["Lost_the lamp", "Dimmed to 50 %"]).await?;
    // A category of the host's own has a chip if an entry has it.
    browser.press("billing").await?;
    browser.until_messages(&["Sent 500 invoices", "Lost_the lamp", "Dimmed to 50 %"]).await?;
    browser.press("Warning").await?;
    browser.until_messages(&["Dimmed to 50 %"]).await?;
    assert_eq!(browser.value(PRESSED).await?, json!(["Warning", "device", "billing"]));

    browser.press("Warning").await?;
    browser.press("billing").await?;
    browser.until_messages(&["Lost_the lamp", "Dimmed to 50 %"]).await?;
    browser.until(SEARCH, "?categories=device").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn typed_text_is_searched_for_in_the_whole_log() -> TestResult {
    let server = server_with_entries()?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.type_into("#search", "LOST_").await?;
    browser.until_messages(&["Lost_the lamp"]).await?;
    browser.until(SEARCH, "?message_contains=LOST_").await?;
    browser.until("document.getElementById('count').textContent", "1 entry").await?;

    browser.press("Clear all filters").await?;
    browser.click("#facet-actor").await?;
    browser.keys("bob+co\u{E007}\u{E00C}").await?;
    browser.until_messages(&["Sent 500 invoices", "Lost_the lamp"]).await?;
    browser.press("More filters").await?;
    browser.type_into("input[name=entity_id]", "8").await?;
    browser.until_messages(&["Lost_the lamp"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_category_with_a_comma_can_be_chosen() -> TestResult {
    let server = Server::start()?;
    let of = |category, message| json!({"category": category, "action": "x,y", "actor": "b", "message": message});
    server.post(&[of("a, b\\", "First"), of("a", "Second"), of("c", "Third")])?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.press("a, b\\").await?;
    browser.until_messages(&["First"]).await?;
    browser.press("c").await?;
    browser.until_messages(&["Third", "First"]).await?;
    let address = browser.value("location.href").await?;
    browser.goto(address.as_str().unwrap_or_default()).await?;
    browser.until_messages(&["Third", "First"]).await?;
    browser.until(PRESSED, json!(["a, b\\", "c"])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_quick_filters_are_today_errors_and_sign_ins() -> TestResult {
    let server = server_with_entries()?;
    let browser = Browser::open(&server.url("/?actor=bob%2Bco")).await?;
    browser.press("Errors").await?;
    browser.until_messages(&["Lost_the lamp"]).await?;
    browser.goto(&server.url("/")).await?;
    browser.press("Sign-ins").await?;
    browser.until_messages(&["Alice signed in"]).await?;
    browser.press("Sign-ins").await?;
    browser.press("Today").await?;
    browser.until("document.querySelector('.row .message').textContent", "Dimmed to 50 %").await?;
    browser.until(ROWS, 3).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_address_leads_to_the_same_view_by_link_and_by_the_back_button() -> TestResult {
    let server = server_with_entries()?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 5).await?;
    browser.press("device").await?;
    browser.until(ROWS, 2).await?;
    // The typed text is one step back, however many letters it has.
    browser.type_into("#search", "dim").await?;
    browser.until(ROWS, 1).await?;
    browser.keys("med").await?;
    browser.until(SEARCH, "?categories=device&message_contains=dimmed").await?;

    let shared = browser.value("location.href").await?;
    let other = Browser::open(shared.as_str().unwrap_or_default()).await?;
    other.until_messages(&["Dimmed to 50 %"]).await?;
    assert_eq!(other.value(PRESSED).await?, json!(["device"]));
    assert_eq!(other.value("document.getElementById('search').value").await?, "dimmed");

    browser.back().await?;
    browser.until(SEARCH, "?categories=device").await?;
    browser.until_messages(&["Lost_the lamp", "Dimmed to 50 %"]).await?;
    browser.until("document.getElementById('search').value", "").await?;
    browser.back().await?;
    browser.until(ROWS, 5).await?;
    browser.until(PRESSED, json!([])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_exports_keep_the_filters() -> TestResult {
    let server = server_with_entries()?;
    let browser = Browser::open(&server.url("/?categories=device&message_contains=50+%25")).await?;
    browser.until_messages(&["Dimmed to 50 %"]).await?;
    for format in ["ndjson", "csv"] {
        let address = format!("document.getElementById('export-{format}').href");
        let exported = browser.value(&format!("fetch({address}).then((response) => response.text())")).await?;
        let exported = exported.as_str().unwrap_or_default();
        assert!(exported.contains("Dimmed to 50 %"), "{exported}");
        assert!(!exported.contains("Lost_the lamp") && !exported.contains("server_started"), "{exported}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_bar_of_the_histogram_zooms_in_to_its_time_span() -> TestResult {
    let server = server_with_entries()?;
    let browser = Browser::open(&server.url("/?until=2026-01-02T00:00:00Z")).await?;
    browser.until_messages(&["Sent 500 invoices", "Lost_the lamp"]).await?;
    browser.until("document.querySelector('.bar')?.getAttribute('aria-label').includes(': 1 error.')", true).await?;
    browser.click(".bar").await?;
    browser.until_messages(&["Lost_the lamp"]).await?;
    browser.until("document.querySelectorAll('.bar .part.error').length", 1).await?;

    browser.click("#active .removable").await?;
    browser.until(ROWS, 5).await?;
    browser.until(SEARCH, "").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_response_that_arrives_too_late_is_not_shown() -> TestResult {
    let server = server_with_entries()?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 5).await?;
    // Hold back the responses about devices until those about sign-ins have arrived.
    browser
        .value(
            "(() => {
                const real = window.fetch;
                window.held = [];
                window.passed = 0;
                window.fetch = async (address, options) => {
                    const { signal, ...others } = options;
                    if (!String(address).includes('categories=device')) return real(address, options);
                    const answer = new Response(await (await real(address, others)).text());
                    await new Promise((resolve) => window.held.push(resolve));
                    window.passed += 1;
                    return answer;
                };
            })()",
        )
        .await?;
    browser.press("device").await?;
    // The list, the count and the histogram.
    browser.until("window.held.length", 3).await?;
    browser.press("device").await?;
    browser.press("auth").await?;
    browser.until_messages(&["Alice signed in"]).await?;
    browser.value("window.held.forEach((release) => release())").await?;
    browser.until("window.passed", 3).await?;
    // Look again after the page has had time to show the late responses.
    browser.value("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))").await?;
    assert_eq!(browser.value(MESSAGES).await?, json!(["Alice signed in"]));
    Ok(())
}
