use diesel::RunQueryDsl;
use serde_json::{Value, json};

use crate::server::{Server, TestResult, entry, with};

/// Entries that differ in every field that a filter looks at.
fn server_with_entries() -> TestResult<Server> {
    let server = Server::start()?;
    let answer = server.post_ndjson(&[
        json!({"category": "auth", "action": "user.signed_in", "actor": "alice", "message": "Alice signed in",
            "ts": "2026-01-01T08:00:00Z"}),
        json!({"category": "device", "action": "device.updated", "actor": "alice", "message": "Dimmed to 50 %",
            "severity": "warning", "entity_type": "device", "entity_id": "7", "ts": "2026-01-01T09:00:00Z"}),
        json!({"category": "device", "action": "device.lost", "actor": "bob+co", "message": "Lost_the lamp",
            "severity": "error", "entity_type": "device", "entity_id": "8", "ts": "2026-01-01T10:00:00.5Z"}),
        json!({"category": "billing", "action": "invoice.sent", "actor": "bob+co", "message": "Sent 500 invoices",
            "entity_type": "invoice", "entity_id": "7", "ts": "2026-01-01T11:00:00Z"}),
    ])?;
    assert_eq!(answer.status, 201);
    Ok(server)
}

fn messages(server: &Server, query: &str) -> TestResult<Vec<String>> {
    let answer = server.get(query)?;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.messages()
}

#[test]
fn without_parameters_the_newest_fifty_are_listed() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&(1..=60).map(|number| entry(&format!("Entry {number}"))).collect::<Vec<_>>())?;

    let newest_fifty = (11..=60).rev().map(|number| format!("Entry {number}")).collect::<Vec<_>>();
    assert_eq!(messages(&server, "")?, newest_fifty);
    Ok(())
}

#[test]
fn categories_restricts_the_list_to_the_named_ones_built_in_or_not() -> TestResult {
    let server = server_with_entries()?;
    assert_eq!(messages(&server, "categories=auth")?, ["Alice signed in"]);
    assert_eq!(messages(&server, "categories=billing,auth")?, ["Sent 500 invoices", "Alice signed in"]);
    assert_eq!(messages(&server, "categories=billing&categories=auth")?, ["Sent 500 invoices", "Alice signed in"]);
    assert_eq!(messages(&server, "categories=unheard-of")?, [""; 0]);
    Ok(())
}

#[test]
fn severities_restricts_the_list_to_the_named_ones() -> TestResult {
    let server = server_with_entries()?;
    assert_eq!(messages(&server, "severities=warning")?, ["Dimmed to 50 %"]);
    assert_eq!(messages(&server, "severities=warning,error")?, ["Lost_the lamp", "Dimmed to 50 %"]);
    Ok(())
}

#[test]
fn actor_restricts_the_list_to_exactly_that_actor() -> TestResult {
    let server = server_with_entries()?;
    assert_eq!(messages(&server, "actor=alice")?, ["Dimmed to 50 %", "Alice signed in"]);
    assert_eq!(messages(&server, "actor=bob%2Bco")?, ["Sent 500 invoices", "Lost_the lamp"]);
    assert_eq!(messages(&server, "actor=ali")?, [""; 0]);
    Ok(())
}

#[test]
fn actors_and_exclude_actors_list_several() -> TestResult {
    let server = server_with_entries()?;
    assert_eq!(messages(&server, "actors=bob%2Bco,nobody")?, ["Sent 500 invoices", "Lost_the lamp"]);
    assert_eq!(messages(&server, "exclude_actors=bob%2Bco,system")?, ["Dimmed to 50 %", "Alice signed in"]);
    Ok(())
}

#[test]
fn actions_and_exclude_actions_accept_a_prefix() -> TestResult {
    let server = server_with_entries()?;
    assert_eq!(messages(&server, "actions=device.*")?, ["Lost_the lamp", "Dimmed to 50 %"]);
    assert_eq!(messages(&server, "actions=device.lost,user.*")?, ["Lost_the lamp", "Alice signed in"]);
    let others = messages(&server, "exclude_actions=device.*,server_started")?;
    assert_eq!(others, ["Sent 500 invoices", "Alice signed in"]);
    Ok(())
}

#[test]
fn entity_type_and_entity_id_list_the_history_of_one_entity() -> TestResult {
    let server = server_with_entries()?;
    assert_eq!(messages(&server, "entity_type=device")?, ["Lost_the lamp", "Dimmed to 50 %"]);
    assert_eq!(messages(&server, "entity_id=7")?, ["Sent 500 invoices", "Dimmed to 50 %"]);
    assert_eq!(messages(&server, "entity_type=device&entity_id=7")?, ["Dimmed to 50 %"]);
    Ok(())
}

#[test]
fn since_and_until_are_both_inclusive() -> TestResult {
    let server = server_with_entries()?;
    let bounds = "since=2026-01-01T09:00:00Z&until=2026-01-01T10:00:00.5Z";
    assert_eq!(messages(&server, bounds)?, ["Lost_the lamp", "Dimmed to 50 %"]);
    let within = "since=2026-01-01T09:00:00.000001Z&until=2026-01-01T10:00:00.499999Z";
    assert_eq!(messages(&server, within)?, [""; 0]);
    Ok(())
}

#[test]
fn the_plus_of_an_offset_may_be_encoded_or_not() -> TestResult {
    let server = server_with_entries()?;
    for plus in ["%2B", "+", "%20"] {
        let query = format!("until=2026-01-01T10:00:00{plus}01:00");
        assert_eq!(messages(&server, &query)?, ["Dimmed to 50 %", "Alice signed in"], "{query}");
    }
    assert_eq!(messages(&server, "until=2026-01-01T08:00:00-01:00")?, ["Dimmed to 50 %", "Alice signed in"]);
    Ok(())
}

#[test]
fn message_contains_finds_literal_text_within_messages() -> TestResult {
    let server = server_with_entries()?;
    // With the space, because the port in the message of the start may contain these digits.
    assert_eq!(messages(&server, "message_contains=%2050")?, ["Sent 500 invoices", "Dimmed to 50 %"]);
    assert_eq!(messages(&server, "message_contains=50%20%25")?, ["Dimmed to 50 %"]);
    assert_eq!(messages(&server, "message_contains=lost_THE")?, ["Lost_the lamp"]);
    assert_eq!(messages(&server, "message_contains=lost%25lamp")?, [""; 0]);
    Ok(())
}

#[test]
fn metadata_finds_the_entries_with_its_members() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[
        with(entry("One"), "metadata", json!({"request": {"ip": "10.0.0.7"}})),
        with(entry("Two"), "metadata", json!({"ip": "10.0.0.70"})),
    ])?;
    let filter = "metadata=%7B%22ip%22%3A%2210.0.0.7%22%7D";
    assert_eq!(messages(&server, filter)?, ["One"]);
    assert_eq!(server.request("GET", &format!("/api/v1/activity-log/count?{filter}"))?.body["count"], 1);
    Ok(())
}

#[test]
fn filters_combine() -> TestResult {
    let server = server_with_entries()?;
    let query =
        "categories=device,billing&severities=info,error&actor=bob%2Bco&entity_type=device&message_contains=lamp";
    assert_eq!(messages(&server, query)?, ["Lost_the lamp"]);
    Ok(())
}

#[test]
fn a_parameter_without_a_value_restricts_nothing() -> TestResult {
    let server = server_with_entries()?;
    let form = "categories=&severities=&actor=&entity_type=&entity_id=&since=&until=&message_contains=&actions=,&before_seq=&limit=";
    assert_eq!(server.get(form)?.body, server.get("")?.body);
    Ok(())
}

#[test]
fn before_seq_may_be_any_number() -> TestResult {
    let server = Server::start()?;
    for (before_seq, actions) in
        [(i64::MIN, vec![]), (1, vec![]), (2, vec!["server_started"]), (i64::MAX, vec!["server_started"])]
    {
        let answer = server.get(&format!("before_seq={before_seq}"))?;
        let listed = answer.entries()?.into_iter().map(|entry| entry.action).collect::<Vec<_>>();
        assert_eq!(listed, actions, "before_seq={before_seq}");
    }
    Ok(())
}

#[test]
fn the_previous_page_is_reached_from_the_next() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&["One", "Two", "Three", "Four", "Five"].map(entry))?;
    let newest = server.get("actor=alice&limit=2")?;
    assert_eq!(
        (newest.messages()?, &newest.body["prev_after_seq"]),
        (vec!["Five".into(), "Four".into()], &Value::Null)
    );

    let older = server.get(&format!("actor=alice&limit=2&before_seq={}", newest.body["next_before_seq"]))?;
    assert_eq!(older.messages()?, ["Three", "Two"]);
    let back = server.get(&format!("actor=alice&limit=2&after_seq={}", older.body["prev_after_seq"]))?;
    assert_eq!(back.body, newest.body);
    Ok(())
}

#[test]
fn a_full_last_page_says_that_it_is_the_last() -> TestResult {
    let server = server_with_entries()?;
    let first = server.get("actor=alice&limit=1")?;
    assert_eq!((first.messages()?, &first.body["has_more"]), (vec!["Dimmed to 50 %".to_owned()], &json!(true)));

    let last = server.get(&format!("actor=alice&limit=1&before_seq={}", first.body["next_before_seq"]))?;
    assert_eq!(last.messages()?, ["Alice signed in"]);
    assert_eq!((&last.body["has_more"], &last.body["next_before_seq"]), (&json!(false), &Value::Null));
    Ok(())
}

#[test]
fn no_more_than_two_hundred_are_listed_at_once() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry("Again"); 210])?;
    assert_eq!(server.get("limit=200")?.entries()?.len(), 200);
    Ok(())
}

#[test]
fn hostile_text_is_returned_unchanged_and_is_found() -> TestResult {
    let server = Server::start()?;
    let hostile = [
        "<script>alert(\"1\")</script>",
        "'; DROP TABLE activity_log; --",
        "Zażółć gęślą jaźń \u{1F98A}\u{200D}\u{1F525} \u{202E}txt.exe",
        "line\nbreak\ttab \u{1b}[31mred \\ \" /",
        "100 % _ \\",
    ];
    for text in hostile {
        let sent = with(with(entry(text), "actor", text), "entity_id", text);
        let sent = with(with(sent, "action", text), "category", text);
        let sent = with(sent, "metadata", json!({text: [text, 0.1, -1, null]}));
        assert_eq!(server.post_json(&sent)?.status, 201);

        let encoded = text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        for parameter in ["actor", "entity_id", "categories", "actions", "message_contains"] {
            let answer = server.get(&format!("{parameter}={encoded}"))?;
            let listed = &answer.body["entries"][0];
            for field in ["category", "action", "actor", "message", "entity_id", "metadata"] {
                assert_eq!(listed[field], sent[field], "{parameter}");
            }
            assert_eq!(answer.entries()?.len(), 1);
        }
    }
    assert_eq!(server.get("")?.entries()?.len(), hostile.len() + 1);
    Ok(())
}

#[test]
fn a_page_passes_over_rows_that_cannot_be_read_and_names_them() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&["One", "Two", "Three", "Four", "Five"].map(entry))?;
    let broken = "UPDATE activity_log SET severity = 'fatal' WHERE seq IN (2, 4, 5)";
    diesel::sql_query(broken).execute(&mut server.connect()?)?;

    // The server's own first entry has seq 1.
    for (parameters, messages, unreadable, next, previous) in [
        ("actor=alice", vec!["Five", "Two"], json!([5, 4, 2]), json!(null), json!(null)),
        ("actor=alice&limit=2", vec!["Five"], json!([5]), json!(5), json!(null)),
        ("actor=alice&limit=2&before_seq=5", vec!["Two"], json!([4]), json!(3), json!(4)),
        ("actor=alice&limit=2&before_seq=3", vec![], json!([2]), json!(null), json!(2)),
        ("actor=alice&limit=4", vec!["Five", "Two"], json!([5, 4]), json!(3), json!(null)),
        ("actor=alice&limit=5", vec!["Five", "Two"], json!([5, 4, 2]), json!(null), json!(null)),
        ("actor=alice&limit=2&after_seq=2", vec!["Two"], json!([4]), json!(3), json!(4)),
        ("actor=alice&limit=2&after_seq=4", vec!["Five"], json!([5]), json!(5), json!(null)),
        ("actor=alice&after_seq=0", vec!["Five", "Two"], json!([5, 4, 2]), json!(null), json!(null)),
    ] {
        let answer = server.get(parameters)?;
        assert_eq!(answer.messages()?, messages, "{parameters}");
        assert_eq!(answer.body["unreadable"], unreadable, "{parameters}");
        assert_eq!(answer.body["next_before_seq"], next, "{parameters}");
        assert_eq!(answer.body["prev_after_seq"], previous, "{parameters}");
        assert_eq!(answer.body["has_more"], json!(!next.is_null()), "{parameters}");
    }
    Ok(())
}
