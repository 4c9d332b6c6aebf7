//! How long entries are kept, as people set it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{Server, TestResult, entry};

const RETENTION: &str = "/api/v1/activity-log/retention";

#[test]
fn nothing_is_deleted_until_somebody_turns_it_on() -> TestResult {
    let server = Server::start()?;
    let settings = server.request("GET", RETENTION)?;
    assert_eq!((settings.status, settings.body), (200, json!({"enabled": false, "days": null, "entries": null})));
    Ok(())
}

#[test]
fn a_change_is_recorded_and_applied_at_once_and_outlasts_the_server() -> TestResult {
    let mut server = Server::start()?;
    for number in 0..5 {
        server.post_json(&entry(&number.to_string()))?;
    }
    let settings = json!({"enabled": true, "days": 30, "entries": 2});
    let changed = server.put_json(&format!("{RETENTION}?actor=alice"), &settings)?;
    assert_eq!((changed.status, &changed.body), (200, &settings), "{}", changed.body);

    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let messages = server.get("categories=device")?.messages()?;
        if messages.len() < 5 {
            break;
        }
        assert!(Instant::now() < deadline, "{messages:?}");
        sleep(Duration::from_millis(50));
    }
    let recorded = server.get("actions=activity_log_retention_changed")?.entries()?;
    let recorded = recorded.first().ok_or("the change is not recorded")?;
    assert_eq!(recorded.actor, "alice");
    let entries = recorded.metadata.get("changed").and_then(|changed| changed.get("entries"));
    assert_eq!(entries, Some(&json!({"from": null, "to": 2})));

    server.restart()?;
    assert_eq!(server.request("GET", RETENTION)?.body, settings);
    Ok(())
}

#[test]
fn settings_that_are_not_an_object_are_refused() -> TestResult {
    let server = Server::start()?;
    for settings in [json!([true, 30, null]), json!(null), json!("on")] {
        let answer = server.put_json(&format!("{RETENTION}?actor=alice"), &settings)?;
        assert_eq!((answer.status, answer.error("message")), (400, &json!("the settings must be a JSON object")));
    }
    Ok(())
}
