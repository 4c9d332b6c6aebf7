use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::server::{Server, TestResult};

#[test]
fn a_server_whose_database_responds_is_healthy() -> TestResult {
    let server = Server::start()?;
    let answer = server.request("GET", "/healthz")?;
    let expected = json!({
        "status": "ok", "queued": 0, "recorded": 1, "at_fault": 0, "failing_since": null, "failed_attempts": 0,
    });
    assert_eq!((answer.status, answer.body), (200, expected));
    Ok(())
}

#[test]
fn a_server_whose_database_does_not_respond_is_unavailable() -> TestResult {
    let server = Server::start()?;
    server.connect()?.batch_execute("ALTER TABLE activity_log RENAME TO gone")?;
    let answer = server.request("GET", "/healthz")?;
    assert_eq!((answer.status, answer.error("message")), (503, &json!("the database does not respond")));
    Ok(())
}
