use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult, entry};

const LEAVES: &str = "[...document.querySelectorAll('.tree .leaf')]
    .filter((leaf) => leaf.checkVisibility()).map((leaf) => leaf.textContent)";

async fn open_row_with(metadata: serde_json::Value) -> TestResult<(Server, Browser)> {
    let server = Server::start()?;
    server.post(&[
        json!({"category": "device", "action": "a", "actor": "b", "message": "Moved to Hall", "metadata": {}}),
        json!({"category": "device", "action": "a", "actor": "b", "message": "Dimmed Lamp", "metadata": metadata}),
    ])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 2).await?;
    browser.click(".row .when").await?;
    Ok((server, browser))
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn metadata_is_a_tree_with_every_digit() -> TestResult {
    let (_server, browser) = open_row_with(
        json!({"serial": 9_007_199_254_740_993_i64, "lamp": {"on": true, "levels": [1.0, 2.5]}, "x": null}),
    )
    .await?;
    browser.until(&format!("{LEAVES}.length"), 5).await?;
    let mut leaves: Vec<String> = serde_json::from_value(browser.value(LEAVES).await?)?;
    leaves.sort();
    assert_eq!(leaves, ["0 1.0", "1 2.5", "on true", "serial 9007199254740993", "x null"]);
    // A click closes a branch.
    browser.click(".tree summary").await?;
    browser.until(LEAVES, json!(["serial 9007199254740993", "x null"])).await?;
    browser.press("As JSON").await?;
    browser.until("document.querySelectorAll('.tree').length", 0).await?;
    browser.until("JSON.parse(document.querySelector('.metadata pre').textContent).lamp.on", true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_tree_is_searched_by_names_and_values() -> TestResult {
    let rooms =
        (0..300).map(|number| json!({"name": format!("Room {number}"), "free": number % 2})).collect::<Vec<_>>();
    let (_server, browser) = open_row_with(json!({"rooms": rooms, "owner": "Ada"})).await?;
    browser.type_into(".metadata-find", "ROOM 299").await?;
    browser.until(LEAVES, json!(["rooms[299].name Room 299"])).await?;
    browser.value("document.querySelector('.metadata-find').select()").await?;
    browser.type_into(".metadata-find", "owner").await?;
    browser.until(LEAVES, json!(["owner Ada"])).await?;
    browser.value("document.querySelector('.metadata-find').select()").await?;
    browser.type_into(".metadata-find", "free").await?;
    browser.until("document.querySelector('.tree .note').textContent", "300 matches, first 100 shown").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_click_on_a_value_filters_by_its_member() -> TestResult {
    let (server, browser) =
        open_row_with(json!({"request": {"ip": "10.0.0.7"}, "level": 1.0, "tags": [7, "a"]})).await?;
    let others = [
        json!({"ip": "10.0.0.7", "level": 1}),
        json!({"ip": "10.0.0.70", "level": 1.0}),
        json!({"ip": "10.0.0.7", "level": 1.0, "tags": [7, "b"]}),
    ];
    let entry = |(number, metadata): (usize, &serde_json::Value)| json!({"category": "device", "action": "a", "actor": "b", "message": format!("Other {number}"), "metadata": metadata});
    server.post(&others.iter().enumerate().map(entry).collect::<Vec<_>>())?;

    browser.until("document.querySelector('.tree [title*=ip]').title", "Only entries with the same “ip”").await?;
    browser.press("10.0.0.7").await?;
    browser.until_messages(&["Other 2", "Other 0", "Dimmed Lamp"]).await?;
    browser.until("new URLSearchParams(location.search).get('metadata')", r#"{"ip":"10.0.0.7"}"#).await?;
    browser
        .until("document.querySelector('[data-chip^=remove]').textContent.trim()", "Metadata ip: \"10.0.0.7\"")
        .await?;

    browser.click(".entry:last-child .row .when").await?;
    browser.press("1.0").await?;
    browser.until_messages(&["Other 2", "Dimmed Lamp"]).await?;
    browser.click(".entry:last-child .row .when").await?;
    browser.press("a").await?;
    browser.until_messages(&["Dimmed Lamp"]).await?;
    let filter = r#"{"ip":"10.0.0.7","level":1.0,"tags":[7,"a"]}"#;
    browser.until("new URLSearchParams(location.search).get('metadata')", filter).await?;

    browser.click("[data-chip^='remove Metadata ip']").await?;
    browser.click("[data-chip^='remove Metadata tags']").await?;
    browser.until_messages(&["Other 2", "Other 1", "Dimmed Lamp"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_click_on_a_value_that_is_too_long_to_filter_by_copies_it() -> TestResult {
    let long = "x".repeat(1_000);
    let (_server, browser) = open_row_with(json!({"note": long})).await?;
    browser
        .until("document.querySelector('.tree .value').title", "Copy this: entries cannot be filtered by it")
        .await?;
    browser.value("navigator.clipboard.writeText = async (text) => { window.copied = text; }").await?;
    browser.click(".tree .value").await?;
    browser.until("window.copied ?? null", &*long).await?;
    browser.until("document.querySelector('.tree .copied')?.textContent", "Copied").await?;
    browser.until("document.getElementById('announcement').textContent", "Copied").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_filter_that_is_not_json_is_named_and_can_be_removed() -> TestResult {
    let server = Server::start()?;
    server.post(&[entry("Present")])?;
    let browser = Browser::open(&server.url("/?categories=device&metadata=ip")).await?;
    browser.until("document.getElementById('state').textContent.includes('metadata')", true).await?;
    browser.click("[data-chip='remove Metadata ip']").await?;
    browser.until_messages(&["Present"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_tree_of_a_million_values_opens_at_once() -> TestResult {
    let server = Server::start()?;
    server.post(&[entry("Large")])?;
    let million = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
        SELECT json_object('elements', json_group_array(i)) FROM n";
    let mut conn = activity_log::connect(&server.database())?;
    conn.batch_execute(&format!("UPDATE activity_log SET metadata = ({million}) WHERE message = 'Large'"))?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    browser.click(".row .when").await?;
    browser.click(".tree summary").await?;
    browser.until("document.querySelectorAll('.tree .leaf').length", 100).await?;
    browser.press("Show more (999,900 left)").await?;
    browser.until("document.querySelectorAll('.tree .leaf').length", 200).await?;
    browser.type_into(".metadata-find", "999999").await?;
    browser.until(LEAVES, json!(["elements[999998] 999999", "elements[999999] 1000000"])).await
}
