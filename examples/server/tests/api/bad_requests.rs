use serde_json::{Value, json};

use crate::server::{PATH, Server, TestResult, entry, with};

#[test]
fn a_bad_parameter_is_named() -> TestResult {
    let server = Server::start()?;
    for (query, parameter, hint) in [
        ("limit=0", "limit", "from 1 to 200"),
        ("limit=201", "limit", "from 1 to 200"),
        ("limit=-1", "limit", "from 1 to 200"),
        ("limit=ten", "limit", "from 1 to 200"),
        ("limit=99999999999999999999", "limit", "from 1 to 200"),
        ("before_seq=x", "before_seq", "whole number"),
        ("before_seq=9223372036854775808", "before_seq", "64-bit"),
        ("before_seq=1.5", "before_seq", "whole number"),
        ("after_seq=x", "after_seq", "whole number"),
        ("before_seq=7&after_seq=3", "after_seq", "must not be given with `before_seq`"),
        ("severities=info,fatal", "severities", "is not `info`, `warning` or `error`"),
        ("since=yesterday", "since", "RFC 3339"),
        ("since=2026-01-31", "since", "RFC 3339"),
        ("until=2026-02-30T00:00:00Z", "until", "RFC 3339"),
        ("until=2026-01-31T12:00:00", "until", "RFC 3339"),
        ("actor=%FF", "actor", "UTF-8"),
        ("actor=alice&actor=bob", "actor", "more than once"),
        ("message_contains=&message_contains=lamp", "message_contains", "more than once"),
        ("limit=5&limit=6", "limit", "more than once"),
        ("severity=error", "severity", "is not a known parameter; the filters are categories, severities"),
        ("q=lamp", "q", "is not a known parameter"),
        ("metadata=ip", "metadata", "is not JSON"),
        ("metadata=%5B%5D", "metadata", "is JSON but not an object"),
        ("Actor=alice", "Actor", "is not a known parameter"),
        ("limit=5&page", "page", "is not a known parameter"),
        ("=5", "", "is not a known parameter"),
        (&*format!("actions={}", "x".repeat(1_001)), "actions", "must not exceed 1000 bytes"),
        (&*format!("actor={}", "%C3%A9".repeat(501)), "actor", "must not exceed 1000 bytes"),
        (&*format!("limit={}", "1".repeat(1_001)), "limit", "must not exceed 1000 bytes"),
    ] {
        let answer = server.get(query)?;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.error("parameter"), parameter, "{query}: {}", answer.body);
        let message = answer.error("message").as_str().unwrap_or_default();
        assert!(message.starts_with(&format!("`{parameter}` ")) && message.contains(hint), "{query}: {message}");
    }
    Ok(())
}

#[test]
fn a_parameter_may_have_a_thousand_bytes_and_the_query_string_thirty_two_kilobytes() -> TestResult {
    let server = Server::start()?;
    let longest = "%C3%A9".repeat(500);
    let names = ["categories", "exclude_actions", "actor", "entity_type", "entity_id", "message_contains"];
    let query = names.map(|name| format!("{name}={longest}"));
    assert_eq!(server.get(&query.join("&"))?.status, 200);

    let answer = server.get(&"&".repeat(32_769))?;
    assert_eq!((answer.status, answer.error("message")), (414, &json!("the query string must not exceed 32768 bytes")));
    Ok(())
}

#[test]
fn a_bad_field_is_named() -> TestResult {
    let server = Server::start()?;
    let without = |field| {
        let mut entry = entry("Incomplete");
        entry.as_object_mut().map(|fields| fields.remove(field));
        entry
    };
    for (body, field, hint) in [
        (without("category"), "category", "is missing"),
        (without("action"), "action", "is missing"),
        (without("actor"), "actor", "is missing"),
        (without("message"), "message", "is missing"),
        (with(entry("Nobody"), "actor", Value::Null), "actor", "is missing"),
        (with(entry("A number"), "actor", 7), "actor", "expected a string"),
        (with(entry("Not closed"), "severity", "fatal"), "severity", "`info`, `warning`, `error`"),
        (with(entry("No time"), "ts", "yesterday"), "ts", "RFC 3339"),
        (with(entry("No offset"), "ts", "2026-01-31T12:00:00"), "ts", "RFC 3339"),
        (with(entry("Year 0"), "ts", "0000-12-31T23:59:59Z"), "ts", "0001 to 9999"),
        (with(entry("A list"), "metadata", json!([1])), "metadata", "expected a map"),
        (with(entry("Its own number"), "seq", 7), "seq", "comes from the log"),
        (with(entry("An endless id"), "id", "x".repeat(300)), "id", "at most 256 are allowed"),
        (with(entry("A typo"), "entity", "lamp"), "entity", "unknown field"),
    ] {
        let answer = server.post_json(&body)?;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.error("field"), field, "{body}: {}", answer.body);
        assert_eq!(answer.error("line"), &Value::Null);
        let message = answer.error("message").as_str().unwrap_or_default();
        assert!(message.starts_with(&format!("`{field}` ")) && message.contains(hint), "{body}: {message}");
    }
    assert_eq!(server.get("actor=alice")?.messages()?, [""; 0]);
    Ok(())
}

#[test]
fn a_body_that_is_not_an_entry_is_refused() -> TestResult {
    let server = Server::start()?;
    let repeated = entry("Twice").to_string().replace('}', r#", "actor": "bob"}"#);
    for (body, hint) in [
        ("", "JSON object"),
        ("null", "JSON object"),
        (&*json!([entry("In a list")]).to_string(), "JSON object"),
        (&*json!(["auth", "a", "b", "c", "info", null, null, null, null, {}]).to_string(), "JSON object"),
        ("{", "EOF"),
        (&*format!("{}{}", entry("One"), entry("Two")), "trailing characters"),
        (&*repeated, "duplicate field `actor`"),
    ] {
        let answer = server.post("application/json", body)?;
        assert_eq!(answer.status, 400, "{body}");
        let message = answer.error("message").as_str().unwrap_or_default();
        assert!(message.contains(hint), "{body}: {message}");
    }
    assert_eq!(server.get("")?.entries()?.len(), 1);
    Ok(())
}

#[test]
fn excessive_nesting_is_refused() -> TestResult {
    let server = Server::start()?;
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = entry("Deep").to_string().replace('}', &format!(r#", "metadata": {{"deep": {nested}}}}}"#));
    let answer = server.post("application/json", body)?;
    assert_eq!((answer.status, answer.error("field")), (400, &json!("metadata")));
    Ok(())
}

#[test]
fn any_other_content_type_is_refused() -> TestResult {
    let server = Server::start()?;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonl", ""] {
        let answer = server.post(content_type, entry("As text").to_string())?;
        assert_eq!(answer.status, 415, "{content_type}");
        let message = answer.error("message").as_str().unwrap_or_default();
        assert!(message.contains("application/json") && message.contains("application/x-ndjson"), "{message}");
    }
    Ok(())
}

#[test]
fn any_other_path_is_not_found() -> TestResult {
    let server = Server::start()?;
    for path in ["/index.html", "/api/v1", "/api/v1/activity-log/", "/api/v1/activity-log/1"] {
        let answer = server.request("GET", path)?;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.error("message").is_string());
    }
    Ok(())
}

#[test]
fn any_other_method_is_not_allowed() -> TestResult {
    let server = Server::start()?;
    for method in ["PUT", "PATCH", "OPTIONS"] {
        let answer = server.request(method, PATH)?;
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.error("message").is_string());
        let allowed = answer.headers.get("allow").map(|value| value.as_bytes());
        assert_eq!(allowed, Some(&b"GET,HEAD,POST,DELETE"[..]));
    }
    Ok(())
}

#[test]
fn a_body_may_have_sixteen_megabytes_and_a_larger_one_is_refused() -> TestResult {
    let server = Server::start()?;
    let megabytes = |count: usize| vec![b'\n'; count << 20];
    assert_eq!(server.post("application/x-ndjson", megabytes(16))?.status, 201);

    let one_byte_more = [megabytes(16), vec![b'\n']].concat();
    for body in [one_byte_more, megabytes(50)] {
        let answer = server.post("application/x-ndjson", body)?;
        assert_eq!((answer.status, answer.error("message")), (413, &json!("the body must not exceed 16777216 bytes")));
    }
    Ok(())
}
