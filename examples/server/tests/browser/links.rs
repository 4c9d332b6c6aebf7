use serde_json::json;

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const SEARCH: &str = "location.search";

fn server_with_devices() -> TestResult<Server> {
    let server = Server::start()?;
    let of = |actor, id, message| {
        json!({"category": "device", "action": format!("device.{message}"), "actor": actor, "message": message,
            "entity_type": "device", "entity_id": id})
    };
    server.post(&[of("alice", "7", "first"), of("bob", "8", "second"), of("bob", "7", "third")])?;
    Ok(server)
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_link_leads_to_one_entry_however_old_it_is() -> TestResult {
    let server = Server::with_entries(250)?;
    let browser = Browser::open(&server.url("/#entry-5")).await?;
    browser.until("document.querySelector('#linked .full-message')?.textContent ?? null", "Entry 4").await?;
    browser.until("document.querySelectorAll('#rows .row').length >= 100", true).await?;
    browser.press("Close").await?;
    browser.until("document.getElementById('linked').hidden", true).await?;
    browser.until("location.hash", "").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_link_of_an_entry_far_below_leads_to_it_at_the_top() -> TestResult {
    let server = Server::with_entries(90)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 91).await?;
    browser.run("document.querySelectorAll('.row')[80].click()").await?;
    browser.run("document.querySelector('.details .permalink').click()").await?;
    browser.until("document.activeElement?.textContent", "Entry 11").await?;
    browser.until("document.getElementById('linked').getBoundingClientRect().top >= 0", true).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_link_to_an_entry_that_is_gone_says_so() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/#entry-77")).await?;
    let text = "Entry 77 is not in the log. It may have been deleted.";
    browser.until("document.querySelector('#linked p')?.textContent ?? null", text).await?;
    browser.goto(&server.url("/#entry-al_gone")).await?;
    let text = "The entry with id al_gone is not in the log. It may have been deleted.";
    browser.until("document.querySelector('#linked p')?.textContent ?? null", text).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_link_makes_its_reader_do_nothing_but_read_an_entry() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/#entry-export")).await?;
    let text = "The entry with id export is not in the log. It may have been deleted.";
    browser.until("document.querySelector('#linked p')?.textContent ?? null", text).await?;
    browser
        .until(
            "fetch('/api/v1/activity-log/count?actions=activity_log_exported').then((it) => it.json())",
            json!({"count": 0, "more": false}),
        )
        .await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_open_row_has_a_link_to_send_to_a_colleague() -> TestResult {
    let server = server_with_devices()?;
    let browser = Browser::open(&server.url("/?actor=bob")).await?;
    browser.until(ROWS, 2).await?;
    browser.click(".row .when").await?;
    let id = browser.value("document.querySelectorAll('.details dl div')[8].children[1].textContent").await?;
    let id = id.as_str().ok_or("no id")?;
    let link = server.url(&format!("/#entry-{id}"));
    assert!(id.starts_with("al_"), "{id}");
    browser.until("document.querySelector('.details a.permalink')?.href", &*link).await?;
    browser.press("Copy link").await?;
    browser.until("document.getElementById('announcement').textContent", "Copied").await?;

    browser.value("navigator.clipboard.writeText = async (text) => { window.copied = text; }").await?;
    browser.press("Copy as curl").await?;
    let curl = format!("curl '{}'", server.url(&format!("/api/v1/activity-log/{id}")));
    browser.until("window.copied ?? null", curl).await?;
    browser.goto(&link).await?;
    browser.until("document.querySelector('#linked .full-message')?.textContent ?? null", "third").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_link_works_whatever_characters_the_id_has() -> TestResult {
    let server = Server::start()?;
    for id in ["a/b?c#d %", "12345", ".."] {
        server.post(&[json!({"id": id, "category": "device", "action": "a", "actor": "b", "message": id})])?;
        let browser = Browser::open(&server.url("/?categories=device")).await?;
        browser.click(".row .when").await?;
        let link = browser.value("document.querySelector('.details a.permalink').href").await?;
        browser.goto("about:blank").await?;
        browser.goto(link.as_str().unwrap_or_default()).await?;
        browser.until("document.querySelector('#linked .full-message')?.textContent ?? null", id).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_click_on_an_actor_an_action_or_an_entity_filters_by_it() -> TestResult {
    let server = server_with_devices()?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    for (cell, expected) in [
        (".actor .pick", "?categories=device&actor=bob"),
        (".action .pick", "?categories=device&actions=device.third"),
        (".entity .pick", "?categories=device&entity_type=device&entity_id=7"),
    ] {
        browser.goto(&server.url("/?categories=device")).await?;
        browser.until(ROWS, 3).await?;
        browser.click(&format!(".row {cell}")).await?;
        browser.until(SEARCH, expected).await?;
        browser.until("document.querySelectorAll('.details').length", 0).await?;
    }
    browser.until_messages(&["third", "first"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_history_of_an_entity_is_one_click_away_from_its_entry() -> TestResult {
    let server = server_with_devices()?;
    let browser = Browser::open(&server.url("/?actor=bob&categories=device")).await?;
    browser.until(ROWS, 2).await?;
    browser.click(".row .when").await?;
    browser.press("History of device 7").await?;
    browser.until_messages(&["third", "first"]).await?;
    browser.until(SEARCH, "?entity_type=device&entity_id=7").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn changed_fields_are_shown_before_and_after() -> TestResult {
    let server = Server::start()?;
    let changed = json!({
        "name": {"from": "Hall", "to": "Hall\u{200B}"}, "level": {"from": 5, "to": null}, "on": {"to": true},
    });
    server.post(&[json!({"category": "device", "action": "device.changed", "actor": "a", "message": "m",
        "metadata": {"changed": changed}})])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    browser.click(".row .when").await?;
    let cells =
        "[...document.querySelectorAll('.changes tr')].map((row) => [...row.cells].map((cell) => cell.textContent))";
    let expected = json!([
        ["Field", "Before", "After"],
        ["level", "5", "null"],
        ["name", "Hall", "HallU+200B"],
        ["on", "not set", "true"]
    ]);
    browser.until(cells, expected).await?;
    // What is not of that form stays JSON.
    server.post(&[json!({"category": "device", "action": "a", "actor": "a", "message": "m2", "metadata":
        {"changed": ["name"]}})])?;
    browser.goto(&server.url("/?message_contains=m2")).await?;
    browser.until(ROWS, 1).await?;
    browser.click(".row .when").await?;
    browser.until("document.querySelectorAll('.metadata .tree').length", 1).await?;
    browser.until("document.querySelectorAll('.changes').length", 0).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_entry_is_copied_where_the_browser_gives_pages_no_clipboard() -> TestResult {
    let server = Server::with_entries(1)?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    browser.click(".row .when").await?;
    browser
        .run(
            "navigator.clipboard.writeText = () => Promise.reject();
            addEventListener('copy', (event) => { window.copied = event.clipboardData.getData('text/plain'); })",
        )
        .await?;
    browser.press("Copy as JSON").await?;
    browser.until("JSON.parse(window.copied ?? '{}').message ?? null", "Entry 1").await?;
    browser.until("document.getElementById('announcement').textContent", "Copied").await
}
