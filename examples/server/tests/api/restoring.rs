//! An export posted back: a restore.

use activity_log::{ActivityLogEntry, NewActivityLogEntry};
use diesel::RunQueryDsl;
use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry, with};

#[test]
fn an_export_posted_to_another_server_restores_its_entries_with_their_ids() -> TestResult {
    let (server, other) = (Server::start()?, Server::start()?);
    let full = with(with(entry("Full"), "metadata", json!({"a": {"b": [1.5, "\u{202e}"]}})), "entity_type", "device");
    server.post_ndjson(&[full, with(entry("Old"), "ts", "0001-01-01T00:00:00Z")])?;
    let export = server.request("GET", &format!("{PATH}/export?actor=alice"))?.text;

    let restored = other.post("application/x-ndjson", &export)?;
    assert_eq!((restored.status, &restored.body["seqs"]), (201, &json!([2, 3])), "{}", restored.body);
    let without_seq = |entries: Vec<ActivityLogEntry>| entries.into_iter().map(NewActivityLogEntry::from).collect();
    let [before, after]: [Vec<_>; 2] =
        [without_seq(server.get("actor=alice")?.entries()?), without_seq(other.get("actor=alice")?.entries()?)];
    assert_eq!(after, before);

    assert_eq!(other.post("application/x-ndjson", &export)?.status, 409);
    let again = other.post_with(("idempotency-key", "restore"), "application/x-ndjson", &export)?;
    assert_eq!((again.status, &again.body["seqs"]), (200, &json!([2, 3])));
    Ok(())
}

#[test]
fn the_last_line_of_an_export_that_passed_over_rows_is_no_entry() -> TestResult {
    let (server, other) = (Server::start()?, Server::start()?);
    server.post_ndjson(&[entry("First"), entry("Broken"), entry("Third")])?;
    diesel::sql_query("UPDATE activity_log SET severity = 'fatal' WHERE seq = 3").execute(&mut server.connect()?)?;
    let export = server.request("GET", &format!("{PATH}/export?actor=alice"))?.text;
    assert_eq!(export.lines().last(), Some(r#"{"seqs":[3],"unreadable":1}"#));

    assert_eq!(other.post("application/x-ndjson", export)?.status, 201);
    assert_eq!(other.get("actor=alice")?.messages()?, ["Third", "First"]);
    Ok(())
}

#[test]
fn only_an_entry_with_an_id_of_its_own_may_have_a_seq() -> TestResult {
    let server = Server::start()?;
    let answer = server.post_ndjson(&[with(entry("Its own number"), "seq", 7)])?;
    assert_eq!((answer.status, answer.error("field")), (400, &json!("seq")), "{}", answer.body);
    let answer = server.post_ndjson(&[json!({"seqs": [], "unreadable": 1, "more": 1})])?;
    assert_eq!(answer.status, 400, "{}", answer.body);
    Ok(())
}
