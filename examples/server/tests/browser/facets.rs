use serde_json::{Value, json};

use crate::browser::Browser;
use crate::server::{Server, TestResult};

const SEARCH: &str = "location.search";
const ACTIVE: &str = "[...document.querySelectorAll('#active .removable')].map((chip) => chip.textContent.trim())";

fn server_with_three_actors() -> TestResult<Server> {
    let server = Server::start()?;
    let of = |category, severity, actor, action, message| {
        json!({"category": category, "severity": severity, "actor": actor, "action": action, "message": message,
            "entity_type": category, "entity_id": "7"})
    };
    server.post(&[
        of("device", "info", "alice", "device.updated", "First"),
        of("device", "error", "cron", "device.lost", "Second"),
        of("billing", "warning", "cron", "invoice.sent", "Third"),
        of("billing", "info", "bob", "invoice.paid", "Fourth"),
    ])?;
    Ok(server)
}

/// The values in the menu, each with its number of entries.
fn offered(by: &str) -> String {
    format!(
        "[...document.querySelectorAll('#menu-{by} li')]
            .map((item) => [item.dataset.value, item.querySelector('.facet-count').textContent])"
    )
}

async fn pick(browser: &Browser, by: &str, value: &str) -> TestResult {
    browser.click(&format!("#menu-{by} li[data-value='{value}'] input")).await
}

async fn exclude(browser: &Browser, by: &str, value: &str) -> TestResult {
    browser.click(&format!("#menu-{by} li[data-value='{value}'] .not")).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn each_menu_lists_the_values_of_a_field_with_their_numbers_of_entries() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?message_contains=ir")).await?;
    browser.until_messages(&["Third", "First"]).await?;
    let cases: [(&str, Value); 5] = [
        ("severity", json!(["info", "warning"])),
        ("category", json!(["billing", "device"])),
        ("action", json!(["device.updated", "invoice.sent"])),
        ("actor", json!(["alice", "cron"])),
        ("entity_type", json!(["billing", "device"])),
    ];
    for (by, expected) in cases {
        browser.click(&format!("#facet-{by}")).await?;
        let values = format!("{}.map(([value]) => value).sort()", offered(by));
        browser.until(&values, expected).await?;
        browser.keys("\u{E00C}").await?;
        browser.until("document.querySelectorAll(':popover-open').length", 0).await?;
    }
    browser.goto(&server.url("/?categories=device,billing")).await?;
    browser.click("#facet-actor").await?;
    browser.until(&offered("actor"), json!([["cron", "2"], ["alice", "1"], ["bob", "1"]])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn values_are_picked_from_a_menu_that_stays_open() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?categories=device,billing")).await?;
    browser.click("#facet-actor").await?;
    pick(&browser, "actor", "alice").await?;
    browser.until_messages(&["First"]).await?;
    pick(&browser, "actor", "bob").await?;
    browser.until_messages(&["Fourth", "First"]).await?;
    browser.until(ACTIVE, json!(["Actor alice", "Actor bob"])).await?;
    browser.until("document.querySelector('#facet-actor .badge').textContent.trim()", "2").await?;

    // The address leads to the same menu.
    let address = browser.value("location.href").await?;
    browser.goto(address.as_str().unwrap_or_default()).await?;
    browser.until_messages(&["Fourth", "First"]).await?;
    browser.click("#facet-actor").await?;
    pick(&browser, "actor", "bob").await?;
    browser.until_messages(&["First"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_actor_and_an_action_can_be_excluded_and_chips_say_so() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?categories=device,billing")).await?;
    browser.click("#facet-actor").await?;
    exclude(&browser, "actor", "cron").await?;
    browser.until_messages(&["Fourth", "First"]).await?;
    browser.keys("\u{E00C}").await?;
    browser.click("#facet-action").await?;
    exclude(&browser, "action", "invoice.paid").await?;
    browser.until_messages(&["First"]).await?;
    browser.until(ACTIVE, json!(["Not action invoice.paid", "Not actor cron"])).await?;
    let pressed = "document.querySelector('#menu-action [data-value=\"invoice.paid\"] .not').ariaPressed";
    browser.until(pressed, "true").await?;

    browser.keys("\u{E00C}").await?;
    browser.click("#active .removable:nth-child(2)").await?;
    browser.until_messages(&["Third", "Second", "First"]).await?;
    browser.until(ACTIVE, json!(["Not action invoice.paid"])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_category_and_a_severity_can_be_excluded_and_one_that_appears_later_is_shown() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.click("#facet-category").await?;
    exclude(&browser, "category", "system").await?;
    browser.until_messages(&["Fourth", "Third", "Second", "First"]).await?;
    server.post(&[json!({"category": "new", "severity": "error", "action": "a", "actor": "b", "message": "Fifth"})])?;
    browser.until_messages(&["Fifth", "Fourth", "Third", "Second", "First"]).await?;
    browser.keys("\u{E00C}").await?;
    browser.click("#facet-severity").await?;
    exclude(&browser, "severity", "info").await?;
    browser.until_messages(&["Fifth", "Third", "Second"]).await?;
    browser.until(ACTIVE, json!(["Not category system", "Not severity info"])).await?;
    browser.until(SEARCH, "?exclude_categories=system&exclude_severities=info").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_entity_type_is_asked_for_or_excluded() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?categories=device,billing")).await?;
    browser.click("#facet-entity_type").await?;
    pick(&browser, "entity_type", "billing").await?;
    browser.until_messages(&["Fourth", "Third"]).await?;
    exclude(&browser, "entity_type", "billing").await?;
    browser.until_messages(&["Second", "First"]).await?;
    browser.until(ACTIVE, json!(["Not entity type billing"])).await?;
    browser.until(SEARCH, "?categories=device&categories=billing&exclude_entity_types=billing").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_value_that_the_menu_does_not_list_can_be_typed() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.click("#facet-action").await?;
    browser.until("document.activeElement.ariaLabel", "Find: Action").await?;
    browser.keys("invoice.*\u{E007}").await?;
    browser.until_messages(&["Fourth", "Third"]).await?;
    browser.until(SEARCH, "?actions=invoice.*").await?;
    // What is typed narrows what is listed.
    browser.keys("\u{E00C}").await?;
    browser.click("#facet-entity_type").await?;
    browser.keys("bill\u{E015} ").await?;
    browser.until(SEARCH, "?actions=invoice.*&entity_type=billing").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_value_with_a_comma_or_spaces_can_be_chosen() -> TestResult {
    let server = Server::start()?;
    let of =
        |actor, action, message| json!({"category": "device", "action": action, "actor": actor, "message": message});
    server.post(&[of("a, b\\", "x,y", "First"), of("a", "x", "Second"), of(" a", "z", "Third")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.click("#facet-action").await?;
    pick(&browser, "action", "x,y").await?;
    browser.until_messages(&["First"]).await?;
    browser.goto(&server.url("/?categories=device")).await?;
    browser.click("#facet-actor").await?;
    pick(&browser, "actor", " a").await?;
    browser.until_messages(&["Third"]).await
}
