use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use activity_log::ActivityCategory;
use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry, program};

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
