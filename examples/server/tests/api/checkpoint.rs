use std::fs;
use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use activity_log::{ActivityLogFilters, ActivityLogRepository};
use diesel::connection::SimpleConnection;

use crate::server::{PATH, Server, TestResult, entry};

#[cfg(unix)]
#[test]
fn after_the_stop_the_database_file_alone_holds_the_whole_log() -> TestResult {
    let mut server = Server::start()?;
    // While another connection has the file open, SQLite does not empty the write-ahead log by itself.
    let mut other = server.connect()?;
    assert_eq!(ActivityLogRepository::new(&mut other).count(&ActivityLogFilters::default())?, 1);
    server.post_ndjson(&vec![entry("In the write-ahead log"); 100])?;
    let write_ahead_log = server.database_file().with_extension("db-wal");
    assert!(fs::metadata(&write_ahead_log)?.len() > 0);

    assert!(server.stop()?.success());
    assert_eq!(fs::metadata(&write_ahead_log)?.len(), 0);
    let copy = tempfile::tempdir()?;
    let copied = copy.path().join("copy.db");
    fs::copy(server.database_file(), &copied)?;
    let mut conn = activity_log::connect(&copied.display().to_string())?;
    let newest = ActivityLogRepository::new(&mut conn).query(&ActivityLogFilters::default(), None, 1)?;
    assert_eq!(newest.into_iter().map(|entry| entry.action).collect::<Vec<_>>(), ["server_stopped"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_stop_leaves_no_other_file_when_nobody_else_uses_the_database() -> TestResult {
    let mut server = Server::start()?;
    server.post_json(&entry("In the write-ahead log"))?;
    sleep(Duration::from_millis(50));
    assert!(server.stop()?.success());
    let remaining = fs::read_dir(server.database_file().with_file_name(""))?;
    let remaining = remaining.map(|file| Ok(file?.file_name())).collect::<TestResult<Vec<_>>>()?;
    assert_eq!(remaining, ["activity-log.db"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_write_whose_client_has_gone_finishes_before_the_stop_is_recorded() -> TestResult {
    let mut server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    let body = entry("Its client has gone").to_string();
    let mut client = server.dial()?;
    write!(
        client,
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    sleep(Duration::from_millis(300));
    drop(client);
    server.signal("TERM")?;
    sleep(Duration::from_millis(500));
    other.batch_execute("COMMIT")?;
    assert!(server.wait(Duration::from_secs(10))?.success());

    let entries = ActivityLogRepository::new(&mut other).query(&ActivityLogFilters::default(), None, 2)?;
    let messages = entries.into_iter().map(|entry| entry.message).collect::<Vec<_>>();
    assert_eq!(messages, ["The server stopped", "Its client has gone"]);
    Ok(())
}
