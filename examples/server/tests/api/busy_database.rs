use std::thread::{scope, sleep};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::server::{Answer, Server, TestResult, entry};

fn assert_busy(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.error("message"), &json!("the database is busy; try again"));
    assert_eq!(answer.headers.get("retry-after").map(|value| value.as_bytes()), Some(&b"1"[..]));
}

#[test]
fn a_writer_waits_until_another_writer_is_done() -> TestResult {
    let server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    scope(|scope| {
        let posting = scope.spawn(|| server.post_json(&entry("In time")).map_err(|error| error.to_string()));
        sleep(Duration::from_millis(500));
        assert!(!posting.is_finished());
        other.batch_execute("COMMIT")?;
        assert_eq!(posting.join().map_err(|_| "the request panicked")??.status, 201);
        Ok(())
    })
}

#[test]
fn a_locked_database_is_busy_for_writers_but_not_for_readers() -> TestResult {
    let server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    assert_busy(&server.post_json(&entry("Too late"))?);
    assert_eq!(server.get("")?.entries()?.len(), 1);

    other.batch_execute("COMMIT")?;
    assert_eq!(server.post_json(&entry("In time"))?.status, 201);
    assert_eq!(server.get("actor=alice")?.messages()?, ["In time"]);
    Ok(())
}

#[test]
fn a_request_that_gets_no_connection_is_told_to_try_again() -> TestResult {
    let server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    scope(|scope| {
        let waiting = (0..20)
            .map(|_| scope.spawn(|| server.post_json(&entry("One too many")).map_err(|error| error.to_string())))
            .collect::<Vec<_>>();
        for answer in waiting {
            assert_busy(&answer.join().map_err(|_| "a request panicked")??);
        }
        Ok(())
    })
}
