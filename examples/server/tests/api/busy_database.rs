use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::server::{Answer, Server, TestResult, entry};

const TRY_AGAIN: &str = "the database is busy; try again";

fn assert_busy(answer: &Answer, message: &str) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.error("message"), &json!(message));
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
fn an_entry_whose_client_is_told_to_try_again_is_withdrawn() -> TestResult {
    let server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    assert_busy(&server.post_json(&entry("Late"))?, TRY_AGAIN);

    other.batch_execute("COMMIT")?;
    assert_eq!(server.post_json(&entry("In time"))?.status, 201);
    assert_eq!(server.get("actor=alice")?.messages()?, ["In time"]);
    Ok(())
}

#[test]
fn readers_do_not_wait_for_writers_that_wait_for_another_process() -> TestResult {
    let server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    scope(|scope| {
        // More than there are connections for readers.
        let posting = (0..20)
            .map(|_| scope.spawn(|| server.post_json(&entry("Waiting")).map_err(|error| error.to_string())))
            .collect::<Vec<_>>();
        sleep(Duration::from_millis(500));
        let started = Instant::now();
        assert_eq!(server.get("")?.entries()?.len(), 1);
        assert_eq!(server.request("GET", "/api/v1/activity-log/count")?.body["count"], 1);
        let health = server.request("GET", "/healthz")?;
        assert_eq!((health.status, &health.body["status"]), (200, &json!("not recording")), "{}", health.body);
        assert_eq!(health.body["queued"], 20);
        assert!(health.body["failing_since"].is_string(), "{}", health.body);
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        assert!(posting.iter().all(|posting| !posting.is_finished()));

        other.batch_execute("COMMIT")?;
        for answer in posting {
            assert_eq!(answer.join().map_err(|_| "a request panicked")??.status, 201);
        }
        let health = server.request("GET", "/healthz")?.body;
        assert_eq!((&health["status"], &health["failing_since"]), (&json!("ok"), &Value::Null), "{health}");
        Ok(())
    })
}

#[test]
fn a_clear_that_finds_the_database_locked_is_told_to_try_again() -> TestResult {
    let server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    scope(|scope| {
        let clearing = (0..3)
            .map(|_| scope.spawn(|| server.delete("actor=alice").map_err(|error| error.to_string())))
            .collect::<Vec<_>>();
        for answer in clearing {
            assert_busy(&answer.join().map_err(|_| "a request panicked")??, TRY_AGAIN);
        }
        Ok(())
    })
}
