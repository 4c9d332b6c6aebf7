use serde_json::{Value, json};

use crate::server::{PATH, Server, TestResult, entry, with};

fn facets(server: &Server, query: &str) -> TestResult<Value> {
    let answer = server.request("GET", &format!("{PATH}/facets?{query}"))?;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    Ok(answer.body)
}

fn server_with_entries() -> TestResult<Server> {
    let server = Server::start()?;
    let lost = with(with(entry("Lost"), "action", "device.lost"), "severity", "error");
    let by_bob = with(with(entry("Sent"), "actor", "bob"), "entity_type", "invoice");
    server.post_ndjson(&[entry("Once"), entry("Twice"), lost, by_bob])?;
    Ok(server)
}

#[test]
fn each_field_has_its_values_with_the_most_frequent_first() -> TestResult {
    let server = server_with_entries()?;
    for (by, values) in [
        ("category", json!([{"value": "device", "entries": 4}, {"value": "system", "entries": 1}])),
        ("severity", json!([{"value": "info", "entries": 4}, {"value": "error", "entries": 1}])),
        (
            "action",
            json!([
                {"value": "device.updated", "entries": 3}, {"value": "device.lost", "entries": 1},
                {"value": "server_started", "entries": 1},
            ]),
        ),
        (
            "actor",
            json!([
                {"value": "alice", "entries": 3}, {"value": "bob", "entries": 1}, {"value": "system", "entries": 1},
            ]),
        ),
        ("entity_type", json!([{"value": "invoice", "entries": 1}])),
    ] {
        assert_eq!(facets(&server, &format!("by={by}"))?, json!({"values": values, "more": false}), "{by}");
    }
    Ok(())
}

#[test]
fn only_entries_that_match_the_filters_count() -> TestResult {
    let server = server_with_entries()?;
    let values = facets(&server, "by=actor&actions=device.updated&exclude_actors=bob")?;
    assert_eq!(values, json!({"values": [{"value": "alice", "entries": 2}], "more": false}));
    Ok(())
}

#[test]
fn there_may_be_more_values_than_the_limit() -> TestResult {
    let server = server_with_entries()?;
    let values = json!([{"value": "alice", "entries": 3}, {"value": "bob", "entries": 1}]);
    assert_eq!(facets(&server, "by=actor&limit=2")?, json!({"values": values, "more": true}));
    Ok(())
}

#[test]
fn a_field_without_a_menu_and_a_bad_limit_are_refused() -> TestResult {
    let server = Server::start()?;
    for (query, parameter, hint) in [
        ("", "by", "category, severity, action, actor or entity_type"),
        ("by=message", "by", "category, severity, action, actor or entity_type"),
        ("by=actor&limit=201", "limit", "from 1 to 200"),
        ("by=actor&before_seq=1", "before_seq", "is not a known parameter"),
    ] {
        let answer = server.request("GET", &format!("{PATH}/facets?{query}"))?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!(parameter)), "{query}");
        let message = answer.error("message").as_str().unwrap_or_default();
        assert!(message.contains(hint), "{query}: {message}");
    }
    Ok(())
}
