//! The server's own table, with a page of forms: each change is recorded in its transaction.

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::server::{Answer, Server, TestResult};

fn page(server: &Server) -> TestResult<Answer> {
    server.request("GET", "/devices")
}

fn add(server: &Server, id: &str, name: &str) -> TestResult<Answer> {
    server.send_form("/devices", &[("id", id), ("name", name)], &[])
}

fn rename(server: &Server, id: &str, name: &str) -> TestResult<Answer> {
    server.send_form("/devices/rename", &[("id", id), ("name", name)], &[])
}

fn remove(server: &Server, id: &str) -> TestResult<Answer> {
    server.send_form("/devices/remove", &[("id", id), ("name", "")], &[])
}

#[test]
fn devices_are_added_renamed_and_removed_with_forms_and_the_log_says_what_changed() -> TestResult {
    let server = Server::start()?;
    assert!(page(&server)?.text.contains("There are no devices yet."));
    let added = add(&server, "a/b", "<Lamp>")?;
    assert_eq!((added.status, added.header("location")), (303, "/devices#a%2Fb"));
    let text = page(&server)?.text;
    assert!(text.contains("value=\"&#60;Lamp&#62;\"") && text.contains("name=\"id\" value=\"a/b\""), "{text}");
    assert_eq!(rename(&server, "a/b", "Hall lamp")?.status, 303);
    let removed = remove(&server, "a/b")?;
    assert_eq!((removed.status, removed.header("location")), (303, "/devices"));
    assert!(page(&server)?.text.contains("There are no devices yet."));

    let listed = server.get("entity_type=device&entity_id=a/b")?;
    assert_eq!(listed.messages()?, ["Removed Hall lamp", "Changed Hall lamp", "Added <Lamp>"]);
    let actions = listed.entries()?.into_iter().map(|entry| (entry.actor, entry.action)).collect::<Vec<_>>();
    let expected = ["device.removed", "device.changed", "device.added"];
    assert_eq!(actions, expected.map(|action| ("anonymous".to_owned(), action.to_owned())));
    let changed = json!({"address": "127.0.0.1", "changed": {"name": {"from": "<Lamp>", "to": "Hall lamp"}}});
    assert_eq!(listed.body["entries"][1]["metadata"], changed);
    assert_eq!(listed.body["entries"][1]["links"]["entity"], "/devices#a%2Fb");
    Ok(())
}

#[test]
fn what_changes_nothing_is_not_recorded() -> TestResult {
    let server = Server::start()?;
    assert_eq!(add(&server, "dev_7", "Lamp")?.status, 303);
    assert_eq!(rename(&server, "dev_7", "Lamp")?.status, 303);
    assert_eq!(server.get("entity_type=device")?.messages()?, ["Added Lamp"]);
    Ok(())
}

#[test]
fn a_change_that_cannot_be_recorded_does_not_happen() -> TestResult {
    let server = Server::start()?;
    server.connect()?.batch_execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON activity_log BEGIN SELECT RAISE(ABORT, 'not today'); END",
    )?;
    let refused = add(&server, "dev_7", "Lamp")?;
    assert_eq!(refused.status, 500);
    assert!(!refused.text.contains("not today"), "{}", refused.text);
    assert!(page(&server)?.text.contains("There are no devices yet."));
    Ok(())
}

#[test]
fn a_form_that_cannot_be_accepted_is_answered_with_the_page_and_the_reason() -> TestResult {
    let server = Server::start()?;
    let long = "x".repeat(201);
    for (id, name, reason) in [
        ("", "Lamp", "`id` must have 1 to 200 bytes"),
        (&*long, "Lamp", "`id` must have 1 to 200 bytes"),
        ("a\0b", "Lamp", "`id` must have 1 to 200 bytes and no control characters"),
        ("7", "", "`name` must have 1 to 200 bytes"),
    ] {
        let answer = add(&server, id, name)?;
        assert_eq!(answer.status, 400, "{id} {}", answer.text);
        assert!(answer.text.contains(reason) && answer.text.contains("placeholder=\"Id\""), "{}", answer.text);
    }
    for missing in [remove(&server, "8")?, rename(&server, "8", "Lamp")?] {
        assert_eq!(missing.status, 404);
        assert!(missing.text.contains("there is no such device"), "{}", missing.text);
    }
    assert_eq!(server.get("entity_type=device")?.messages()?, [""; 0]);
    Ok(())
}

#[test]
fn a_device_that_is_there_already_is_not_added_again() -> TestResult {
    let server = Server::start()?;
    assert_eq!(add(&server, "7", "Lamp")?.status, 303);
    let again = add(&server, "7", "Fan")?;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("there is already a device with this id"), "{}", again.text);
    assert!(page(&server)?.text.contains("value=\"Lamp\""));
    Ok(())
}

#[test]
fn the_page_runs_no_script_and_leads_back_to_the_log() -> TestResult {
    let answer = page(&Server::start()?)?;
    let policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(answer.header("content-security-policy"), policy);
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert!(answer.text.contains("href=\"/\"") && !answer.text.contains("Sign out"), "{}", answer.text);
    Ok(())
}

#[test]
fn another_site_cannot_change_a_device() -> TestResult {
    let server = Server::start()?;
    let fields = [("id", "7"), ("name", "Lamp")];
    assert_eq!(server.send_form("/devices", &fields, &[("sec-fetch-site", "cross-site")])?.status, 403);
    assert!(page(&server)?.text.contains("There are no devices yet."));
    Ok(())
}
