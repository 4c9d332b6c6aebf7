//! The page about devices.

use serde_json::json;

use crate::server::{Answer, Server, TestResult};

fn page(server: &Server) -> TestResult<Answer> {
    server.request("GET", "/devices")
}

#[test]
fn devices_are_added_renamed_and_removed_with_forms_and_the_log_says_so() -> TestResult {
    let server = Server::start()?;
    assert!(page(&server)?.text.contains("There are no devices yet."));
    let added = server.send_form("/devices", &[("id", "a/b"), ("name", "<Lamp>")], &[])?;
    assert_eq!((added.status, added.header("location")), (303, "/devices#a%2Fb"));
    let text = page(&server)?.text;
    assert!(text.contains("value=\"&lt;Lamp&gt;\"") && text.contains("action=\"/devices/a%2Fb\""), "{text}");
    assert_eq!(server.send_form("/devices/a%2Fb", &[("name", "Hall lamp")], &[])?.status, 303);
    let removed = server.send_form("/devices/a%2Fb/remove", &[], &[])?;
    assert_eq!((removed.status, removed.header("location")), (303, "/devices"));

    let listed = server.get("entity_type=device&entity_id=a/b")?;
    let messages = ["anonymous removed Hall lamp", "anonymous changed <Lamp>", "anonymous added <Lamp>"];
    let messages = messages.map(|message| message.replace("changed <Lamp>", "changed Hall lamp"));
    assert_eq!(listed.messages()?, messages);
    let changed = json!({"address": "127.0.0.1", "changed": {"name": {"from": "<Lamp>", "to": "Hall lamp"}}});
    assert_eq!(listed.body["entries"][1]["metadata"], changed);
    assert_eq!(listed.body["entries"][1]["links"]["entity"], "/devices#a%2Fb");
    Ok(())
}

#[test]
fn the_page_runs_no_script_and_leads_back_to_the_log() -> TestResult {
    let answer = page(&Server::start()?)?;
    let policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(answer.header("content-security-policy"), policy);
    assert!(answer.text.contains("href=\"/\"") && !answer.text.contains("Sign out"), "{}", answer.text);
    Ok(())
}

#[test]
fn a_device_that_is_there_already_is_not_added_again() -> TestResult {
    let server = Server::start()?;
    assert_eq!(server.send_form("/devices", &[("id", "7"), ("name", "Lamp")], &[])?.status, 303);
    let again = server.send_form("/devices", &[("id", "7"), ("name", "Fan")], &[])?;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("there is already a device with this id"), "{}", again.text);
    assert!(page(&server)?.text.contains("value=\"Lamp\""));
    Ok(())
}

#[test]
fn a_form_that_cannot_be_accepted_is_answered_with_the_page_and_the_reason() -> TestResult {
    let server = Server::start()?;
    for (path, fields, status, reason) in [
        ("/devices", [("id", ""), ("name", "Lamp")], 400, "`id` must have 1 to 200 bytes"),
        ("/devices", [("id", "7"), ("name", "")], 400, "`name` must have 1 to 200 bytes"),
        ("/devices/8", [("id", "8"), ("name", "Lamp")], 404, "there is no such device"),
        ("/devices/8/remove", [("id", "8"), ("name", "Lamp")], 404, "there is no such device"),
    ] {
        let answer = server.send_form(path, &fields, &[])?;
        assert_eq!(answer.status, status, "{path} {}", answer.text);
        assert!(answer.text.contains(reason) && answer.text.contains("placeholder=\"Id\""), "{}", answer.text);
    }
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
