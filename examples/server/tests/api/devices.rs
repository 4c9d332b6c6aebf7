//! The server's own table: each change is recorded in its transaction.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::server::{Answer, Server, TestResult};

const DEVICES: &str = "/api/v1/devices";

fn put(server: &Server, id: &str, name: &str) -> TestResult<Answer> {
    server.put_json(&format!("{DEVICES}/{id}?actor=alice"), &json!({ "name": name }))
}

fn listed(server: &Server) -> TestResult<Value> {
    Ok(server.request("GET", DEVICES)?.body["devices"].clone())
}

#[test]
fn each_change_of_a_device_is_recorded_with_what_changed() -> TestResult {
    let server = Server::start()?;
    let lamp = json!({"id": "dev_7", "name": "Lamp"});
    let added = put(&server, "dev_7", "Lamp")?;
    assert_eq!((added.status, &added.body), (201, &lamp));
    assert_eq!(put(&server, "dev_7", "Hall lamp")?.status, 200);
    assert_eq!(listed(&server)?, json!([{"id": "dev_7", "name": "Hall lamp"}]));
    assert_eq!(server.request("DELETE", &format!("{DEVICES}/dev_7?actor=bob"))?.status, 204);
    assert_eq!(listed(&server)?, json!([]));

    let page = server.get("entity_type=device&entity_id=dev_7")?;
    assert_eq!(page.messages()?, ["bob removed Hall lamp", "alice changed Hall lamp", "alice added Lamp"]);
    let entries = page.entries()?;
    assert_eq!(
        entries.iter().map(|entry| &*entry.action).collect::<Vec<_>>(),
        ["device.removed", "device.changed", "device.added"]
    );
    let changed = json!({"address": "127.0.0.1", "changed": {"name": {"from": "Lamp", "to": "Hall lamp"}}});
    assert_eq!(json!(entries.get(1).map(|entry| &entry.metadata)), changed);
    Ok(())
}

#[test]
fn what_changes_nothing_is_not_recorded() -> TestResult {
    let server = Server::start()?;
    put(&server, "dev_7", "Lamp")?;
    assert_eq!(put(&server, "dev_7", "Lamp")?.status, 200);
    assert_eq!(server.request("DELETE", &format!("{DEVICES}/dev_8?actor=alice"))?.status, 404);
    assert_eq!(server.get("actor=alice")?.messages()?, ["alice added Lamp"]);
    Ok(())
}

#[test]
fn a_change_that_cannot_be_recorded_does_not_happen() -> TestResult {
    let server = Server::start()?;
    server.connect()?.batch_execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON activity_log BEGIN SELECT RAISE(ABORT, 'not today'); END",
    )?;
    assert_eq!(put(&server, "dev_7", "Lamp")?.status, 500);
    assert_eq!(listed(&server)?, json!([]));
    Ok(())
}

#[test]
fn a_bad_device_is_refused_by_the_name_of_what_is_wrong() -> TestResult {
    let server = Server::start()?;
    let long = "x".repeat(201);
    for (id, name, parameter) in
        [(&*long, "Lamp", "id"), ("%FF", "Lamp", "id"), ("a%00b", "Lamp", "id"), ("dev_7", "", "name")]
    {
        let answer = put(&server, id, name)?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!(parameter)), "{}", answer.body);
    }
    let nobody = server.put_json(&format!("{DEVICES}/dev_7"), &json!({"name": "Lamp"}))?;
    assert_eq!((nobody.status, nobody.error("parameter")), (400, &json!("actor")));
    assert_eq!(server.get("actor=alice")?.messages()?, [""; 0]);
    Ok(())
}
