use serde_json::{Value, json};

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult, entry};

const OPEN: &str = "document.querySelectorAll('.details').length";
const DETAILS: &str = "Object.fromEntries([...document.querySelectorAll('.details dl > div')]
    .map((pair) => [pair.children[0].textContent, pair.children[1].textContent]))";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_open_row_shows_everything_that_is_stored_of_the_entry() -> TestResult {
    let server = Server::start()?;
    server.post(&[
        json!({"category": "device", "action": "device.lost", "actor": "bob", "message": "Lost\nthe lamp",
        "severity": "error", "entity_type": "device", "entity_id": "dev_7", "entity_name": "Lamp",
        "ts": "2026-01-02T03:04:05.123456Z", "metadata": {"serial": 9_007_199_254_740_993_i64, "ratio": 1.0}}),
    ])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    browser.click(".row .when").await?;
    browser.until(OPEN, 1).await?;

    let details = browser.value(DETAILS).await?;
    for (name, value) in [
        ("Message", "Lost\nthe lamp"),
        ("Action", "device.lost"),
        ("Actor", "bob"),
        ("Category", "device"),
        ("Entity type", "device"),
        ("Entity id", "dev_7"),
        ("Entity name", "Lamp"),
        ("Sequence number", "2"),
    ] {
        assert_eq!(details.get(name), Some(&json!(value)), "{name}");
    }
    let text = |name| details.get(name).and_then(Value::as_str).unwrap_or_default();
    assert!(text("Time").contains("05.123456 UTC"), "{details}");
    assert!(text("In UTC").starts_with("2026-01-02T03:04:05.123456"), "{details}");
    assert!(text("Id").starts_with("al_"), "{details}");
    // Every digit is shown, even of an integer that JavaScript numbers cannot hold.
    browser.press("As JSON").await?;
    let metadata = "{\n  \"ratio\": 1.0,\n  \"serial\": 9007199254740993\n}";
    browser.until("document.querySelector('.details pre').textContent", metadata).await?;

    browser.click(".row .when").await?;
    browser.until(OPEN, 0).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_entry_can_be_copied_as_json() -> TestResult {
    let server = Server::start()?;
    let mut sent = entry("Copy me");
    if let Some(fields) = sent.as_object_mut() {
        fields.insert("metadata".to_owned(), json!({"key": ["<b>", 1]}));
    }
    server.post(&[sent])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.click(".row .when").await?;
    browser.press("Copy as JSON").await?;
    browser.until("document.getElementById('announcement').textContent", "Copied").await?;

    const CONTROL: char = '\u{E009}';
    browser.type_into("#search", &format!("{CONTROL}v")).await?;
    browser.until("document.getElementById('search').value !== ''", true).await?;
    let pasted = browser.value("JSON.parse(document.getElementById('search').value)").await?;
    for (name, value) in [("seq", json!(2)), ("message", json!("Copy me")), ("metadata", json!({"key": ["<b>", 1]}))] {
        assert_eq!(pasted.get(name), Some(&value), "{pasted}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_open_row_can_narrow_the_list_to_similar_entries() -> TestResult {
    let server = Server::start()?;
    let of = |actor, id, message| {
        json!({"category": "device", "action": "device.updated", "actor": actor, "message": message,
            "entity_type": "device", "entity_id": id})
    };
    server.post(&[of("alice", "7", "First"), of("bob", "8", "Second"), of("bob", "7", "Third")])?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.click(".row .when").await?;
    browser.press("Only device 7").await?;
    browser.until_messages(&["Third", "First"]).await?;
    browser.click(".row .when").await?;
    browser.press("Only bob").await?;
    browser.until_messages(&["Third"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_open_row_can_hide_its_actor_and_another_row_one_more() -> TestResult {
    let server = Server::start()?;
    let of = |actor| json!({"category": "device", "action": "a", "actor": actor, "message": actor});
    server.post(&[of("alice"), of("bob"), of("cron")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.click(".row .when").await?;
    browser.press("Hide cron").await?;
    browser.until_messages(&["bob", "alice"]).await?;
    browser.click(".row .when").await?;
    browser.press("Hide bob").await?;
    browser.until_messages(&["alice"]).await?;
    browser.click("#active .removable").await?;
    browser.until_messages(&["cron", "alice"]).await?;
    browser.click("#active .removable").await?;
    browser.until_messages(&["cron", "bob", "alice"]).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn hostile_text_stays_text() -> TestResult {
    let server = Server::start()?;
    let hostile = "\"'><img src=x onerror=\"window.hacked = 1\"><script>window.hacked = 2</script><b>{{7*7}}";
    let fields = ["category", "action", "actor", "message", "entity_type", "entity_id", "entity_name"];
    let mut sent = json!({"severity": "error", "metadata": {hostile: [hostile, {"__proto__": hostile}]}});
    if let Some(sent) = sent.as_object_mut() {
        sent.extend(fields.map(|field| (field.to_owned(), json!(hostile))));
    }
    server.post(&[sent])?;
    let browser = Browser::open(&server.url("/?severities=error")).await?;
    browser.until(ROWS, 1).await?;
    for cell in ["category", "action", "actor", "message", "entity-type", "entity-name"] {
        let shown = browser.value(&format!("document.querySelector('.row .{cell}').textContent")).await?;
        // Some cells shorten the text.
        let start = shown.as_str().unwrap_or_default().trim_end_matches('…');
        assert!(start.len() >= 60 && hostile.starts_with(start), "{cell}: {shown}");
    }

    browser.click(".row .when").await?;
    browser.until(OPEN, 1).await?;
    let details = browser.value(DETAILS).await?;
    for name in ["Message", "Action", "Actor", "Category", "Entity type", "Entity id", "Entity name"] {
        assert_eq!(details.get(name), Some(&json!(hostile)), "{name}");
    }
    browser.press("As JSON").await?;
    let metadata = browser.value("document.querySelector('.details pre').textContent").await?;
    assert_eq!(
        serde_json::from_str::<Value>(metadata.as_str().unwrap_or_default())?,
        json!({hostile: [hostile, {"__proto__": hostile}]})
    );

    // The text stays text when it becomes a filter.
    browser.value("document.querySelector('.details-actions .quiet').click()").await?;
    browser.until("document.querySelector('.removable') !== null", true).await?;
    browser.until(ROWS, 1).await?;
    browser.click("#facet-actor").await?;
    browser.until("document.querySelector('#menu-actor li')?.dataset.value ?? null", hostile).await?;
    assert_eq!(browser.value("document.querySelectorAll('main img, main script, main b').length").await?, 0);
    assert_eq!(browser.value("window.hacked === undefined").await?, true);
    assert_eq!(browser.complaints()?, [""; 0]);
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn nothing_on_the_page_violates_its_content_security_policy() -> TestResult {
    let server = Server::with_entries(120)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until("document.querySelectorAll('.bar .part').length > 0", true).await?;
    browser.click(".row .when").await?;
    browser.press("Copy as JSON").await?;
    browser.value("scrollTo(0, document.body.scrollHeight)").await?;
    browser.until(ROWS, 121).await?;
    browser.press("device").await?;
    browser.until(ROWS, 100).await?;
    server.post(&[entry("Entry 121")])?;
    browser.until("document.querySelector('.row .message').textContent", "Entry 121").await?;
    assert_eq!(browser.complaints()?, [""; 0]);

    // The policy is in force: an inline script is blocked.
    browser
        .value("document.body.append(Object.assign(document.createElement('script'), { text: 'hacked = 1' }))")
        .await?;
    assert_eq!(browser.value("typeof hacked").await?, "undefined");
    let complaints = browser.complaints()?.join("\n");
    assert!(complaints.contains("Content Security Policy"), "{complaints}");
    Ok(())
}
