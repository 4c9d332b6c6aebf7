use std::collections::HashSet;

use activity_log::ActivitySeverity;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::server::{Server, TestResult, entry, with};

#[test]
fn one_entry_is_recorded_with_every_field() -> TestResult {
    let server = Server::start()?;
    let sent = json!({
        "category": "device", "action": "device.updated", "actor": "alice", "message": "Renamed the lamp",
        "severity": "warning", "ts": "2026-01-31T13:00:00.123456+01:00", "entity_type": "device",
        "entity_id": "dev_7", "entity_name": "Desk lamp", "metadata": {"previous": {"name": "Lamp", "level": 0.3}},
    });
    let answer = server.post("application/json; charset=utf-8", sent.to_string())?;
    assert_eq!(answer.status, 201);

    let mut listed = server.get("")?.body["entries"][0].take();
    assert_eq!(answer.body, json!({"recorded": 1, "ids": [listed["id"]], "seqs": [2]}));
    assert_eq!(listed["seq"].take(), 2);
    let id = listed["id"].take();
    assert!(id.as_str().is_some_and(|id| id.starts_with("al_")), "{id}");
    let expected = with(sent, "ts", "2026-01-31T12:00:00.123456Z");
    let expected = with(expected, "links", json!({"entity": "/devices#dev_7"}));
    assert_eq!(listed, with(with(expected, "seq", Value::Null), "id", Value::Null));
    Ok(())
}

#[test]
fn missing_fields_get_defaults() -> TestResult {
    let server = Server::start()?;
    let before = Utc::now() - TimeDelta::seconds(1);
    let mut nulls = entry("Null");
    for field in ["severity", "ts", "entity_type", "entity_id", "entity_name", "metadata"] {
        nulls = with(nulls, field, Value::Null);
    }
    for sent in [entry("Absent"), nulls] {
        assert_eq!(server.post_json(&sent)?.status, 201);
        let listed = server.get("limit=1")?.entries()?.remove(0);
        assert_eq!(listed.message, sent["message"]);
        assert!(before < listed.ts && listed.ts <= Utc::now(), "{}", listed.ts);
        assert_eq!(listed.severity, ActivitySeverity::Info);
        assert_eq!((listed.entity_type, listed.entity_id, listed.entity_name), (None, None, None));
        assert!(listed.metadata.is_empty());
    }
    Ok(())
}

#[test]
fn ndjson_is_recorded_in_the_order_of_its_lines() -> TestResult {
    let server = Server::start()?;
    let body = format!("{}\r\n\n  \n{}\n{}", entry("First"), entry("Second"), entry("Last, without a line end"));
    let answer = server.post("Application/X-NDJSON", body)?;
    assert_eq!((answer.status, &answer.body["recorded"]), (201, &json!(3)));

    let page = server.get("actor=alice")?;
    assert_eq!(page.messages()?, ["Last, without a line end", "Second", "First"]);
    let ids = page.entries()?.into_iter().rev().map(|entry| entry.id).collect::<Vec<_>>();
    assert_eq!((&answer.body["ids"], &answer.body["seqs"]), (&json!(ids), &json!([2, 3, 4])));
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 3);
    Ok(())
}

#[test]
fn an_entry_with_its_own_id_is_recorded_once_however_often_it_is_sent() -> TestResult {
    let server = Server::start()?;
    let sent = with(entry("Once"), "id", "al_of_the_client");
    assert_eq!(server.post_json(&sent)?.body["ids"], json!(["al_of_the_client"]));
    let again = server.post_json(&sent)?;
    assert_eq!((again.status, again.error("field")), (409, &json!("id")), "{}", again.body);

    let again = server.post_ndjson(&[entry("With it"), sent])?;
    assert_eq!((again.status, again.error("line")), (409, &json!(2)), "{}", again.body);
    assert_eq!(server.get("actor=alice")?.messages()?, ["Once"]);
    Ok(())
}

#[test]
fn an_empty_ndjson_body_records_nothing() -> TestResult {
    let server = Server::start()?;
    let answer = server.post("application/x-ndjson", "\n\n")?;
    assert_eq!((answer.status, answer.body), (201, json!({"recorded": 0, "ids": [], "seqs": []})));
    Ok(())
}

#[test]
fn an_invalid_line_is_named_and_none_of_its_neighbours_is_recorded() -> TestResult {
    let server = Server::start()?;
    let broken = [
        ("{\"category\": \"device\"", None),
        ("not JSON", None),
        ("[]", None),
        ("{} {}", None),
        (&*format!("{} {{}}", entry("Two on one line")), None),
        (&*with(entry("Misspelt"), "severity", "fatal").to_string(), Some("severity")),
        // This line parses but cannot be stored: the error occurs after the first line has been inserted.
        (&*with(entry("Too old"), "ts", "0000-12-31T23:59:59Z").to_string(), Some("ts")),
    ];
    for (line, field) in broken {
        let body = format!("{}\n\n{line}\n{}\n", entry("Before"), entry("After"));
        let answer = server.post("application/x-ndjson", body)?;
        assert_eq!(answer.status, 400, "{line}");
        assert_eq!(answer.error("line"), 3, "{line}: {}", answer.body);
        assert_eq!(answer.error("field").as_str(), field, "{line}: {}", answer.body);
        let message = answer.error("message").as_str().unwrap_or_default();
        assert!(message.starts_with("line 3: ") && !message.contains("line 1"), "{message}");
    }
    assert_eq!(server.get("actor=alice")?.messages()?, [""; 0]);
    Ok(())
}

#[test]
fn many_megabytes_are_recorded_at_once() -> TestResult {
    let server = Server::start()?;
    let long = "long ".repeat(12_000);
    assert_eq!(server.post_ndjson(&vec![entry(&long); 250])?.status, 201);
    // A page ends at eight megabytes.
    let page = server.get("actor=alice&limit=200")?.messages()?;
    assert_eq!(page, vec![long; 140]);
    Ok(())
}

#[test]
fn a_byte_order_mark_is_accepted() -> TestResult {
    let server = Server::start()?;
    assert_eq!(server.post("application/json", format!("\u{FEFF}{}", entry("One")))?.status, 201);
    let lines = format!("\u{FEFF}{}\n{}\n", entry("Two"), entry("Three"));
    assert_eq!(server.post("application/x-ndjson", lines)?.status, 201);
    assert_eq!(server.get("actor=alice")?.messages()?, ["Three", "Two", "One"]);
    Ok(())
}

#[test]
fn bodies_in_utf_16_are_refused_by_name() -> TestResult {
    let server = Server::start()?;
    for mark in ["\u{FEFF}", ""] {
        let text = format!("{mark}{}", entry("One"));
        let body = text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let answer = server.post("application/json", body)?;
        assert_eq!((answer.status, answer.error("message")), (400, &json!("the body is UTF-16; send UTF-8")));
    }
    Ok(())
}

#[test]
fn compressed_bodies_are_refused_by_name() -> TestResult {
    let server = Server::start()?;
    for (encoding, status) in [("gzip", 415), ("br", 415), ("identity", 201)] {
        let answer = server.post_with(("content-encoding", encoding), "application/json", entry("One").to_string())?;
        assert_eq!(answer.status, status, "{encoding}: {}", answer.body);
        if status == 415 {
            let message = format!("the content encoding `{encoding}` is not supported; send the body as it is");
            assert_eq!(answer.error("message"), message.as_str());
        }
    }
    Ok(())
}

#[test]
fn half_of_a_surrogate_pair_is_recorded_as_the_replacement_character() -> TestResult {
    let server = Server::start()?;
    let sent = r#"{"category":"auth","action":"a","actor":"alice","message":"caf\udce9","metadata":{"path":"\udce9"}}"#;
    assert_eq!(server.post("application/json", sent)?.status, 201);
    let entry = server.get("actor=alice")?.entries()?.remove(0);
    assert_eq!((entry.message.as_str(), &entry.metadata["path"]), ("caf\u{FFFD}", &json!("\u{FFFD}")));
    Ok(())
}

#[test]
fn a_number_that_would_lose_digits_is_refused_by_field() -> TestResult {
    let server = Server::start()?;
    for number in ["12345678901234567890123", "3.14159265358979323846", "[1, {\"a\": -18446744073709551617}]"] {
        let sent = entry("One").to_string().replacen('{', &format!("{{\"metadata\":{{\"number\":{number}}},"), 1);
        let answer = server.post("application/json", sent)?;
        assert_eq!((answer.status, answer.error("field")), (400, &json!("metadata")), "{number}: {}", answer.body);
    }
    let exact = entry("One").to_string().replacen('{', r#"{"metadata":{"number":18446744073709551615},"#, 1);
    assert_eq!(server.post("application/json", exact)?.status, 201);
    Ok(())
}
