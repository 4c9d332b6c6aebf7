use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry, with};

fn count(server: &Server, query: &str) -> TestResult<serde_json::Value> {
    Ok(server.request("GET", &format!("{PATH}/count?{query}"))?.body)
}

#[test]
fn entries_that_match_the_filters_are_counted() -> TestResult {
    let server = Server::start()?;
    let lost = with(entry("Lost the lamp"), "severity", "error");
    server.post_ndjson(&[entry("Found the lamp"), lost, entry("Found the chair")])?;
    for (query, expected) in [
        ("", 4),
        ("actor=alice", 3),
        ("actor=bob", 0),
        ("severities=error,warning", 1),
        ("categories=device&message_contains=the%20lamp", 2),
        ("until=2000-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(count(&server, query)?, json!({"count": expected, "more": false}), "{query}");
    }
    let answer = server.request("GET", &format!("{PATH}/count?limit=5"))?;
    assert_eq!((answer.status, answer.error("parameter")), (400, &json!("limit")));
    Ok(())
}

#[test]
fn counting_stops_at_ten_thousand() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry("One of many"); 10_000])?;
    assert_eq!(count(&server, "actor=alice")?, json!({"count": 10_000, "more": false}));
    assert_eq!(count(&server, "")?, json!({"count": 10_000, "more": true}));
    Ok(())
}
