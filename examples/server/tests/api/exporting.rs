use std::io::{BufReader, Read, Write};

use activity_log::{ActivityCategory, ActivityLogEntry, ActivitySeverity, export};
use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::RunQueryDsl;
use serde_json::json;

use crate::server::{Answer, PATH, Server, TestResult, entry, with};

fn export(server: &Server, query: &str) -> TestResult<Answer> {
    server.request("GET", &format!("{PATH}/export?{query}"))
}

fn entries(answer: &Answer) -> TestResult<Vec<ActivityLogEntry>> {
    Ok(export::read_ndjson(BufReader::new(answer.text.as_bytes())).collect::<Result<_, _>>()?)
}

#[test]
fn an_export_contains_the_matching_entries_oldest_first() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[entry("First"), with(entry("Second"), "severity", "error"), entry("Third")])?;
    let answer = export(&server, "format=ndjson&actor=alice&severities=info")?;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"));

    let mut listed = server.get("actor=alice&severities=info")?.entries()?;
    listed.reverse();
    assert_eq!(entries(&answer)?, listed);
    assert_eq!(listed.len(), 2);
    assert_eq!(entries(&export(&server, "actor=alice&severities=info")?)?, listed);
    Ok(())
}

#[test]
fn a_csv_export_is_safe_to_open_in_a_spreadsheet() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[entry("=1+1"), entry("a,b")])?;
    let answer = export(&server, "format=csv&actor=alice")?;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"));
    let lines = answer.text.lines().collect::<Vec<_>>();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("seq,id,ts,category,") && lines[1].contains(",'=1+1,"), "{lines:?}");
    assert!(lines[2].contains(",\"a,b\","), "{lines:?}");
    Ok(())
}

#[test]
fn the_file_name_contains_the_time() -> TestResult {
    let server = Server::start()?;
    for format in ["ndjson", "csv"] {
        let answer = export(&server, &format!("format={format}"))?;
        let disposition = answer.header("content-disposition");
        let time = disposition
            .strip_prefix("attachment; filename=\"activity-log-")
            .and_then(|rest| rest.strip_suffix(&format!(".{format}\"")));
        let time = NaiveDateTime::parse_from_str(time.ok_or(disposition)?, "%Y%m%dT%H%M%SZ")?.and_utc();
        assert!((Utc::now() - time).abs() < TimeDelta::minutes(1), "{time}");
    }
    Ok(())
}

#[test]
fn an_export_is_recorded_and_contains_its_own_entry() -> TestResult {
    let server = Server::start()?;
    let exported = entries(&export(&server, "exported_by=alice%20%3Croot%3E&categories=system&actor=")?)?;
    let [_, recorded] = exported.try_into().map_err(|entries| format!("{entries:?}"))?;
    assert_eq!((recorded.category.clone(), &*recorded.action), (ActivityCategory::System, "activity_log_exported"));
    assert_eq!((&*recorded.actor, recorded.severity), ("alice <root>", ActivitySeverity::Info));
    assert_eq!(
        json!(recorded.metadata),
        json!({"format": "ndjson", "filters": {"categories": ["system"]}, "address": "127.0.0.1"})
    );
    assert_eq!(server.get("limit=1")?.entries()?, [recorded]);

    export(&server, "format=csv")?;
    let recorded = server.get("limit=1")?.entries()?.remove(0);
    assert_eq!(recorded.actor, "anonymous");
    assert_eq!(json!(recorded.metadata), json!({"format": "csv", "filters": {}, "address": "127.0.0.1"}));
    Ok(())
}

#[test]
fn an_export_by_metadata_is_not_found_by_that_metadata() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[with(entry("Seen"), "metadata", json!({"ip": "10.0.0.7"}))])?;
    let filter = r#"{"ip":"10.0.0.7"}"#;
    let query = "metadata=%7B%22ip%22%3A%2210.0.0.7%22%7D";
    assert_eq!(entries(&export(&server, query)?)?.len(), 1);
    assert_eq!(server.get(query)?.messages()?, ["Seen"]);
    let recorded = server.get("limit=1")?.entries()?.remove(0);
    assert_eq!(json!(recorded.metadata.get("filters")), json!({"metadata": filter}));

    // As deep as metadata may be.
    let deep = format!("metadata=%7B%22a%22:{}{}%7D", "%5B".repeat(126), "%5D".repeat(126));
    assert_eq!(export(&server, &deep)?.status, 200);
    Ok(())
}

#[test]
fn a_head_request_is_not_recorded_as_an_export() -> TestResult {
    let server = Server::start()?;
    let answer = server.request("HEAD", &format!("{PATH}/export?format=csv"))?;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(server.get("")?.entries()?.len(), 1);
    Ok(())
}

#[test]
fn an_invalid_export_is_refused_and_not_recorded() -> TestResult {
    let server = Server::start()?;
    let beginnings = (0..201).map(|number| format!("actions={number}.*&")).collect::<String>();
    for (query, parameter) in [
        ("format=xml", "format"),
        ("limit=5", "limit"),
        ("since=x", "since"),
        ("metadata=%7B%22,a%22:1%7D", "metadata"),
        (&*beginnings, "actions"),
    ] {
        let answer = export(&server, query)?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!(parameter)), "{query}");
        assert_eq!(answer.header("content-disposition"), "");
    }
    assert_eq!(server.get("")?.entries()?.len(), 1);
    Ok(())
}

#[test]
fn rows_that_cannot_be_read_are_passed_over_and_a_last_line_says_so() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry("Tick"); 1_000])?;
    let broken = "UPDATE activity_log SET severity = 'fatal' WHERE seq IN (2, 900)";
    diesel::sql_query(broken).execute(&mut server.connect()?)?;

    let ndjson = export(&server, "actor=alice")?.text;
    assert_eq!(ndjson.lines().count(), 999);
    assert_eq!(ndjson.lines().last(), Some(r#"{"seqs":[2,900],"unreadable":2}"#));
    let last = activity_log::export::read_ndjson(ndjson.as_bytes()).last();
    assert!(last.is_some_and(|line| line.is_err()), "no reader takes it for an entry");

    let csv = export(&server, "format=csv&actor=alice")?.text;
    assert_eq!(csv.lines().count(), 1 + 999);
    assert_eq!(csv.lines().last(), Some(",,,,,,,,,,2 entries could not be read: seq 2 900,"));
    assert_eq!(export(&server, "actor=nobody")?.text, "");
    Ok(())
}

#[test]
fn an_error_midway_cuts_the_transfer_off() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry(&"long ".repeat(10_000)); 250])?;

    for format in ["ndjson", "csv"] {
        let mut stream = server.dial()?;
        let path = format!("{PATH}/export?format={format}&actor=alice");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut received = vec![0; 100_000];
        stream.read_exact(&mut received)?;
        assert!(received.starts_with(b"HTTP/1.1 200 OK\r\n"));
        let mut conn = server.connect()?;
        diesel::sql_query("ALTER TABLE activity_log RENAME TO hidden").execute(&mut conn)?;
        // The connection may also be reset.
        _ = stream.read_to_end(&mut received);
        assert!(!received.ends_with(b"0\r\n\r\n"), "the body appears complete");
        diesel::sql_query("ALTER TABLE hidden RENAME TO activity_log").execute(&mut conn)?;
    }
    Ok(())
}
