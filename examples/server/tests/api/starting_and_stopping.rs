use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread::{scope, sleep};
use std::time::Duration;

use activity_log::{ActivityCategory, ActivityLogRepository};
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry, program, with};

fn actions(server: &Server) -> TestResult<Vec<String>> {
    Ok(server.get("")?.entries()?.into_iter().map(|entry| entry.action).collect())
}

#[test]
fn the_start_is_recorded_in_a_file_in_the_working_directory() -> TestResult {
    let server = Server::start()?;
    assert!(server.database_file().is_file());

    let [started] = server.get("")?.entries()?.try_into().map_err(|entries| format!("{entries:?}"))?;
    assert_eq!((started.category, &*started.action), (ActivityCategory::System, "server_started"));
    assert_eq!(started.actor, "system");
    assert_eq!(json!(started.metadata), json!({"url": format!("http://{}", server.address)}));
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_stop_is_recorded_whichever_signal_asks_for_it() -> TestResult {
    let mut server = Server::start()?;
    server.post_json(&entry("Between start and stop"))?;
    server.restart()?;
    assert_eq!(actions(&server)?, ["server_started", "server_stopped", "device.updated", "server_started"]);

    server.signal("INT")?;
    let status = server.wait(Duration::from_secs(20))?;
    assert!(status.success(), "{status}");
    server.restart_after_exit()?;
    assert_eq!(actions(&server)?[..2], ["server_started", "server_stopped"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_running_request_finishes_before_the_stop_is_recorded() -> TestResult {
    let mut server = Server::start()?;
    let body = entry("Just in time").to_string();
    let (first, rest) = body.split_at(10);
    let mut stream = TcpStream::connect(&server.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")?;
    write!(stream, "content-length: {}\r\nexpect: 100-continue\r\n\r\n", body.len())?;
    // The server responds with 100 once it handles the request.
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on)?;
    stream.write_all(first.as_bytes())?;

    server.signal("TERM")?;
    assert!(server.wait(Duration::from_millis(500)).is_err());
    stream.write_all(rest.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(server.wait(Duration::from_secs(20))?.success());

    server.restart_after_exit()?;
    assert_eq!(actions(&server)?, ["server_started", "server_stopped", "device.updated", "server_started"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn idle_connections_do_not_hold_up_the_stop() -> TestResult {
    let mut server = Server::start()?;
    let silent = TcpStream::connect(&server.address)?;
    // The client keeps this connection open for the next request.
    assert_eq!(server.get("")?.status, 200);

    server.signal("TERM")?;
    assert!(server.wait(Duration::from_secs(3))?.success());
    drop(silent);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_request_that_never_completes_does_not_keep_the_server_from_stopping() -> TestResult {
    let mut server = Server::start()?;
    let mut unfinished = TcpStream::connect(&server.address)?;
    write!(unfinished, "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")?;
    assert_eq!(server.get("")?.status, 200);

    assert!(server.stop()?.success());
    drop(unfinished);
    server.restart_after_exit()?;
    assert_eq!(actions(&server)?, ["server_started", "server_stopped", "server_started"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn what_cannot_be_recorded_before_the_stop_is_reported_so_that_it_can_be_sent_again() -> TestResult {
    let mut server = Server::start()?;
    let mut other = server.connect()?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    server.signal("TERM")?;
    // Docker kills a container after ten seconds.
    assert!(!server.wait(Duration::from_secs(10))?.success());
    let said = server.said()?;
    let unrecorded = said.lines().filter_map(|line| Some(line.split_once(": not recorded: ")?.1));
    let unrecorded = unrecorded.map(str::to_owned).collect::<Vec<_>>();
    assert!(said.ends_with("example-server: entries not recorded before the stop: 1\n"), "{said}");

    other.batch_execute("COMMIT")?;
    server.restart_after_exit()?;
    assert_eq!(actions(&server)?, ["server_started", "server_started"]);
    assert_eq!(server.post("application/x-ndjson", unrecorded.join("\n"))?.status, 201);
    assert_eq!(actions(&server)?, ["server_stopped", "server_started", "server_started"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn whatever_was_acknowledged_before_the_server_is_killed_is_in_the_log_once() -> TestResult {
    let mut server = Server::start()?;
    let acknowledged = Mutex::new(Vec::new());
    scope(|scope| {
        for client in 0..8 {
            let (server, acknowledged) = (&server, &acknowledged);
            scope.spawn(move || {
                for number in 0.. {
                    let id = format!("al_{client}_{number}");
                    let Ok(answer) = server.post_json(&with(entry("Acknowledged"), "id", &*id)) else { break };
                    if let (201, Ok(mut acknowledged)) = (answer.status, acknowledged.lock()) {
                        acknowledged.push((answer.body["seqs"][0].as_i64(), id));
                    }
                }
            });
        }
        sleep(Duration::from_millis(500));
        server.signal("KILL")
    })?;
    server.wait(Duration::from_secs(10))?;
    server.restart_after_exit()?;

    let mut conn = server.connect()?;
    let stored = ActivityLogRepository::new(&mut conn).query_after(&Default::default(), 0, u32::MAX)?;
    let stored = stored.into_iter().map(|entry| (Some(entry.seq), entry.id)).collect::<HashSet<_>>();
    let acknowledged = acknowledged.into_inner()?;
    assert!(acknowledged.len() > 8, "{acknowledged:?}");
    let lost = acknowledged.iter().filter(|acknowledged| !stored.contains(acknowledged)).collect::<Vec<_>>();
    assert!(lost.is_empty(), "{lost:?}");
    Ok(())
}

#[test]
fn a_server_that_cannot_listen_says_why_and_records_nothing() -> TestResult {
    let server = Server::start()?;
    let second = program().args(["--listen", &server.address, "--database"]).arg(server.database_file()).output()?;
    assert!(!second.status.success());
    assert_eq!(String::from_utf8(second.stdout)?, "");
    let said = String::from_utf8(second.stderr)?;
    assert!(said.starts_with(&format!("example-server: cannot listen on {}: ", server.address)), "{said}");
    assert_eq!(actions(&server)?, ["server_started"]);
    Ok(())
}

#[test]
fn a_database_that_cannot_be_opened_is_named() -> TestResult {
    let output = program().args(["--listen", "127.0.0.1:0", "--database", "no/such/folder/log.db"]).output()?;
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr)?;
    assert!(said.starts_with("example-server: cannot open no/such/folder/log.db: "), "{said}");
    Ok(())
}

#[test]
fn servers_that_start_at_once_on_one_new_database_all_start() -> TestResult {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("shared.db").display().to_string();
    let started = scope(|scope| {
        let starting = (0..8).map(|_| {
            scope.spawn(|| Server::start_with(&["--database", &database]).map(drop).map_err(|error| error.to_string()))
        });
        starting.collect::<Vec<_>>().into_iter().map(|server| server.join()).collect::<Vec<_>>()
    });
    for server in started {
        server.map_err(|_| "a start panicked")??;
    }
    Ok(())
}
