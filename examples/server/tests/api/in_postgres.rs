//! The server on PostgreSQL.

use std::env;
use std::io::Write;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;

use crate::events::Events;
use crate::server::{PATH, Server, TestResult, add_user, entry};
use crate::users::{cookie_of, sign_in};

/// The address of a schema of its own; `None` where the tests have no PostgreSQL.
#[expect(clippy::disallowed_methods, reason = "only the environment can tell tests where PostgreSQL is")]
fn database(schema: &str) -> TestResult<Option<String>> {
    let Ok(url) = env::var("ACTIVITY_LOG_POSTGRES_URL") else {
        writeln!(std::io::stderr(), "skipped: this test needs ACTIVITY_LOG_POSTGRES_URL")?;
        return Ok(None);
    };
    let schema = format!("{schema}_{}", std::process::id());
    PgConnection::establish(&url)?.batch_execute(&format!("CREATE SCHEMA {schema}"))?;
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(Some(format!("{url}{separator}options=-csearch_path%3D{schema}")))
}

/// A server on a schema of its own.
fn server(schema: &str) -> TestResult<Option<Server>> {
    let Some(url) = database(schema)? else { return Ok(None) };
    Ok(Some(Server::start_with(&["--database", &url, "--demo", "100"])?))
}

#[test]
fn entries_are_recorded_listed_followed_exported_and_cleared() -> TestResult {
    let Some(mut server) = server("entries")? else { return Ok(()) };
    let mut events = Events::open(&server, "")?;
    assert_eq!(server.post_json(&entry("News"))?.status, 201);
    assert!(events.next()?.is_some_and(|event| event.data.contains("News")));
    assert_eq!(server.get("limit=1")?.messages()?, ["News"]);
    assert_eq!(server.request("GET", &format!("{PATH}/count"))?.body, json!({"count": 102, "more": false}));
    assert_eq!(server.request("GET", &format!("{PATH}/export"))?.text.lines().count(), 103);
    assert_eq!(server.delete("actor=alice")?.body, json!({"deleted": 103}));
    assert_eq!(server.request("GET", "/healthz")?.body["status"], "ok");
    drop(events);
    assert!(server.stop()?.success());
    Ok(())
}

#[test]
fn a_device_and_the_entry_about_its_change_are_in_one_transaction() -> TestResult {
    let Some(server) = server("devices")? else { return Ok(()) };
    for (path, name) in [("/devices", "Lamp"), ("/devices/rename", "Hall lamp")] {
        assert_eq!(server.send_form(path, &[("id", "own_7"), ("name", name)], &[])?.status, 303);
    }
    assert_eq!(server.send_form("/devices", &[("id", "own_7"), ("name", "Fan")], &[])?.status, 409);
    assert_eq!(server.send_form("/devices/remove", &[("id", "own_7"), ("name", "")], &[])?.status, 303);
    let messages = server.get("entity_id=own_7&entity_type=device")?.messages()?;
    assert_eq!(messages, ["Removed Hall lamp", "Changed Hall lamp", "Added Lamp"]);
    Ok(())
}

#[test]
fn a_user_signs_in_until_the_password_changes() -> TestResult {
    let Some(url) = database("users")? else { return Ok(()) };
    assert!(add_user(Path::new(&url), "alice", "lamps in the hall")?.status.success());
    let server = Server::start_with(&["--database", &url])?;
    // PostgreSQL has no U+0000.
    assert_eq!(sign_in(&server, "alice\0", "lamps in the hall")?.status, 401);
    let cookie = cookie_of(&sign_in(&server, "alice", "lamps in the hall")?)?;
    let cookie = [("cookie", &*cookie)];
    assert_eq!(server.request_with("GET", PATH, &cookie)?.status, 200);
    assert!(add_user(Path::new(&url), "alice", "another password")?.status.success());
    assert_eq!(server.request_with("GET", PATH, &cookie)?.status, 401);
    Ok(())
}
