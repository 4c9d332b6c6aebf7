//! The database file is replaced or removed while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{scope, sleep};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::events::Events;
use crate::server::{Answer, PATH, Server, TestResult, entry};

const REPLACED: &str = "the database file was replaced while the server ran: restart the server";
const REMOVED: &str = "the database file was removed while the server ran: put it back, or restart the server";

fn assert_lost(answer: &Answer, message: &str) {
    assert_eq!((answer.status, answer.error("message")), (503, &json!(message)), "{}", answer.text);
}

/// Another name for the file, beside it.
fn beside(server: &Server) -> PathBuf {
    server.database_file().with_extension("backup")
}

/// Puts another log in the place of the server's.
fn replace(server: &Server) -> TestResult {
    let (file, backup) = (server.database_file(), beside(server));
    activity_log::run_migrations(&mut activity_log::connect(&backup.display().to_string())?)?;
    for suffix in ["-wal", "-shm"] {
        remove_if_there(Path::new(&format!("{}{suffix}", file.display())))?;
    }
    Ok(fs::rename(backup, file)?)
}

fn remove_if_there(file: &Path) -> TestResult {
    if file.exists() { Ok(fs::remove_file(file)?) } else { Ok(()) }
}

#[test]
fn nothing_is_recorded_in_a_file_that_has_been_replaced() -> TestResult {
    let mut server = Server::start()?;
    assert_eq!(server.post_json(&entry("Before"))?.status, 201);
    replace(&server)?;
    assert_lost(&server.post_json(&entry("Gone"))?, REPLACED);
    assert_lost(&server.delete("actor=alice")?, REPLACED);
    let device = server.send_form("/devices", &[("id", "7"), ("name", "Lamp")], &[])?;
    assert_lost(&device, REPLACED);
    assert_lost(&server.request("GET", &format!("{PATH}/export"))?, REPLACED);

    server.restart()?;
    assert_eq!(server.post_json(&entry("After"))?.status, 201);
    assert_eq!(server.get("actor=alice")?.messages()?, ["After"]);
    Ok(())
}

#[test]
fn an_entry_that_is_committed_to_a_file_replaced_meanwhile_is_not_said_to_be_recorded() -> TestResult {
    let server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    scope(|scope| {
        let posting = scope.spawn(|| server.post_json(&entry("Gone")).map_err(|error| error.to_string()));
        sleep(Duration::from_millis(500));
        assert!(!posting.is_finished());
        replace(&server)?;
        other.batch_execute("COMMIT")?;
        assert_lost(&posting.join().map_err(|_| "the request panicked")??, REPLACED);
        Ok(())
    })
}

#[test]
fn a_server_whose_file_was_replaced_is_not_healthy() -> TestResult {
    let server = Server::start()?;
    replace(&server)?;
    assert_lost(&server.request("GET", "/healthz")?, REPLACED);
    assert_lost(&server.get("")?, REPLACED);
    Ok(())
}

#[test]
fn a_file_that_was_removed_is_not_created_again_and_may_be_put_back() -> TestResult {
    let server = Server::start()?;
    fs::rename(server.database_file(), beside(&server))?;
    assert_lost(&server.request("GET", "/healthz")?, REMOVED);
    assert_lost(&server.post_json(&entry("Gone"))?, REMOVED);
    assert_lost(&server.request("GET", &format!("{PATH}/export"))?, REMOVED);
    assert!(!server.database_file().exists());

    fs::rename(beside(&server), server.database_file())?;
    assert_eq!(server.request("GET", "/healthz")?.status, 200);
    assert_eq!(server.post_json(&entry("Back"))?.status, 201);
    Ok(())
}

#[test]
fn a_stream_ends_when_its_file_is_replaced_and_begins_anew_after_the_restart() -> TestResult {
    let mut server = Server::start()?;
    server.post_ndjson(&vec![entry("Not in the backup"); 9])?;
    let mut events = Events::open(&server, "")?;
    replace(&server)?;
    assert_eq!(events.next()?, None);
    assert_lost(&server.request("GET", &format!("{PATH}/stream?after_seq=10"))?, REPLACED);

    server.stop()?;
    let said = server.said()?;
    assert!(said.contains(REPLACED), "{said}");
    server.restart_after_exit()?;
    let mut events = Events::open(&server, "after_seq=10")?;
    assert_eq!(events.next()?.map(|event| event.event).as_deref(), Some("reset"));
    Ok(())
}

#[test]
fn a_link_to_the_file_is_as_good_as_the_file() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (file, link) = (folder.path().join("log.db"), folder.path().join("link.db"));
    fs::write(&file, "")?;
    std::os::unix::fs::symlink(&file, &link)?;
    let server = Server::start_with(&["--database", &link.display().to_string()])?;
    assert_eq!(server.post_json(&entry("Through the link"))?.status, 201);
    Ok(())
}
