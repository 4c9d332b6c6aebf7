//! Sending the same request again: the header `Idempotency-Key`.

use serde_json::{Value, json};

use crate::server::{Answer, Server, TestResult, entry, with};

fn post(server: &Server, key: &str, entries: &[Value]) -> TestResult<Answer> {
    let lines = entries.iter().map(|entry| format!("{entry}\n")).collect::<String>();
    server.post_with(("idempotency-key", key), "application/x-ndjson", lines)
}

#[test]
fn a_request_sent_again_with_its_key_is_answered_as_the_first_time_and_recorded_once() -> TestResult {
    let server = Server::start()?;
    let metadata = json!({"a": [1.5, null]});
    let full = with(with(entry("Second"), "ts", "2026-01-31T12:00:00.1234567Z"), "metadata", metadata);
    let sent = [entry("First"), full, with(entry("Nul\u{0}"), "entity_id", "dev_7")];
    let first = post(&server, "8e03978e-40d5-43dd-bc93-6894a57f9324", &sent)?;
    assert_eq!((first.status, &first.body["seqs"]), (201, &json!([2, 3, 4])));
    assert!(first.body["ids"][0].as_str().is_some_and(|id| id.starts_with("al_") && id.len() == 35), "{}", first.body);
    server.post_json(&entry("In between"))?;

    let again = post(&server, "8e03978e-40d5-43dd-bc93-6894a57f9324", &sent)?;
    assert_eq!(again.status, 200, "{}", again.body);
    let expected = json!({"recorded": 0, "ids": first.body["ids"], "seqs": first.body["seqs"]});
    assert_eq!(again.body, expected);
    assert_eq!(server.get("actor=alice")?.messages()?.len(), 4);
    Ok(())
}

#[test]
fn one_entry_as_json_is_recorded_once_as_well() -> TestResult {
    let server = Server::start()?;
    for status in [201, 200] {
        let sent = entry("Once").to_string();
        let answer = server.post_with(("idempotency-key", "once"), "application/json", sent)?;
        assert_eq!((answer.status, &answer.body["seqs"]), (status, &json!([2])));
    }
    Ok(())
}

#[test]
fn of_many_requests_with_one_key_at_once_one_is_recorded_and_all_get_the_same_answer() -> TestResult {
    let server = Server::start()?;
    let post = || post(&server, "at-once", &[entry("Once")]).map_err(|error| error.to_string());
    let answers = std::thread::scope(|scope| {
        let posting = (0..20).map(|_| scope.spawn(post)).collect::<Vec<_>>();
        posting
            .into_iter()
            .map(|answer| answer.join().map_err(|_| "a request panicked")?)
            .collect::<Result<Vec<_>, _>>()
    })?;
    let with_status = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with_status(201), with_status(200)), (1, 19));
    assert!(answers.iter().all(|answer| answer.body["seqs"] == answers[0].body["seqs"]));
    assert_eq!(server.get("actor=alice")?.messages()?, ["Once"]);
    Ok(())
}

#[test]
fn each_key_has_entries_of_its_own() -> TestResult {
    let server = Server::start()?;
    for key in ["1", "2"] {
        assert_eq!(post(&server, key, &[entry("The same")])?.status, 201, "{key}");
    }
    assert_eq!(server.get("actor=alice")?.messages()?, ["The same"; 2]);
    Ok(())
}

#[test]
fn a_key_used_for_other_entries_is_refused() -> TestResult {
    let server = Server::start()?;
    let sent = with(entry("One"), "ts", "2026-01-31T12:00:00Z");
    assert_eq!(post(&server, "key", std::slice::from_ref(&sent))?.status, 201);
    for other in [
        vec![entry("Another")],
        vec![with(sent.clone(), "ts", "2026-01-31T12:00:01Z")],
        vec![with(sent.clone(), "severity", "error")],
        vec![with(sent.clone(), "metadata", json!({"more": 1}))],
        vec![sent.clone(), entry("And one more")],
    ] {
        let answer = post(&server, "key", &other)?;
        assert_eq!((answer.status, answer.error("line")), (409, &json!(1)), "{other:?}: {}", answer.body);
        assert_eq!(answer.error("parameter"), "Idempotency-Key");
    }
    assert_eq!(server.get("actor=alice")?.messages()?, ["One"]);
    Ok(())
}

#[test]
fn entries_keep_the_ids_that_they_bring() -> TestResult {
    let server = Server::start()?;
    let sent = [with(entry("Mine"), "id", "al_mine"), entry("Any")];
    let first = post(&server, "key", &sent)?;
    assert_eq!(first.body["ids"][0], "al_mine");
    assert_eq!(post(&server, "key", &sent)?.body["ids"], first.body["ids"]);
    // Without the key, entries with ids are refused as before.
    assert_eq!(server.post_json(&sent[0])?.status, 409);
    Ok(())
}

#[test]
fn entries_of_which_some_were_deleted_meanwhile_are_not_said_to_be_there() -> TestResult {
    let server = Server::start()?;
    let sent = [entry("First"), entry("Second")];
    post(&server, "key", &sent)?;
    let delete = diesel::sql_query("DELETE FROM activity_log WHERE seq = 3");
    diesel::RunQueryDsl::execute(delete, &mut server.connect()?)?;
    assert_eq!(post(&server, "key", &sent)?.status, 409);
    Ok(())
}

#[test]
fn a_key_that_is_empty_too_long_or_given_twice_is_named() -> TestResult {
    let server = Server::start()?;
    for key in ["", &*"x".repeat(256), "two words"] {
        let answer = post(&server, key, &[entry("One")])?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!("Idempotency-Key")), "{key}");
    }
    let twice = server.send_raw(
        "POST /api/v1/activity-log HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\
         content-type: application/x-ndjson\r\nidempotency-key: a\r\nidempotency-key: b\r\n\r\n",
    )?;
    assert!(twice.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&twice));
    Ok(())
}
