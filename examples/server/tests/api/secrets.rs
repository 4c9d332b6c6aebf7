//! Secrets that clients send by mistake.

use serde_json::json;

use crate::server::{Server, TestResult, entry, with};

#[test]
fn passwords_and_tokens_in_metadata_are_masked() -> TestResult {
    let server = Server::start()?;
    let metadata = json!({"Password": "hunter2", "request": {"authorization": "Bearer x"}, "path": "/lamps"});
    assert_eq!(server.post_json(&with(entry("Signed in"), "metadata", metadata))?.status, 201);
    let masked = json!({"Password": "[redacted]", "request": {"authorization": "[redacted]"}, "path": "/lamps"});
    assert_eq!(server.get("actor=alice")?.body["entries"][0]["metadata"], masked);
    Ok(())
}
