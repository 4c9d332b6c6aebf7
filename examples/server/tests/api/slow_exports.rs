use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry};

const MEGABYTE: usize = 1 << 20;

/// Sixty-four entries of a megabyte each: more than lies in any buffer on the way.
fn server_with_megabytes() -> TestResult<Server> {
    let server = Server::start()?;
    let long = entry(&"x".repeat(MEGABYTE));
    for _ in 0..16 {
        assert_eq!(server.post_ndjson(&vec![long.clone(); 4])?.status, 201);
    }
    Ok(server)
}

/// Begins an export, and takes no more of it than the beginning.
fn begin(server: &Server) -> TestResult<TcpStream> {
    let mut stream = server.dial()?;
    write!(stream, "GET {PATH}/export?actor=alice HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200 OK".len()];
    stream.read_exact(&mut status)?;
    assert_eq!(&status, b"HTTP/1.1 200 OK");
    Ok(stream)
}

fn assert_there_is_no_place(server: &Server) -> TestResult {
    let answer = server.request("GET", &format!("{PATH}/export"))?;
    assert_eq!((answer.status, answer.error("message")), (503, &json!("too many exports are running; try again")));
    Ok(())
}

/// How much memory the server has once it asks for no more.
#[cfg(target_os = "linux")]
fn steady_memory(server: &Server) -> TestResult<u64> {
    let mut before = 0;
    loop {
        sleep(Duration::from_secs(1));
        let now = server.memory()?;
        if now.abs_diff(before) < MEGABYTE as u64 {
            return Ok(now);
        }
        before = now;
    }
}

#[cfg(target_os = "linux")]
#[test]
fn slow_exports_take_little_memory_and_nothing_from_others() -> TestResult {
    let server = server_with_megabytes()?;
    // What the server needs for a request anyway.
    assert_eq!(server.get("limit=1")?.status, 200);
    let before = server.memory()?;
    let mut slow = (0..4).map(|_| begin(&server)).collect::<TestResult<Vec<_>>>()?;
    let grown = steady_memory(&server)?.saturating_sub(before);
    // Four times 64 MiB if it did not wait for the clients.
    assert!(grown < 48 * MEGABYTE as u64, "{grown} bytes");

    assert_there_is_no_place(&server)?;
    for _ in 0..20 {
        assert_eq!(server.post_json(&entry("Meanwhile"))?.status, 201);
        assert_eq!(server.get("limit=1")?.messages()?, ["Meanwhile"]);
    }
    // And whoever takes all of it in the end has all of it.
    let mut whole = Vec::new();
    if let Some(stream) = slow.first_mut() {
        stream.read_to_end(&mut whole)?;
    }
    assert!(whole.len() > 64 * MEGABYTE && whole.ends_with(b"0\r\n\r\n"), "{} bytes", whole.len());
    Ok(())
}

#[test]
fn a_client_that_goes_away_gives_its_place_back() -> TestResult {
    let server = server_with_megabytes()?;
    let slow = (0..4).map(|_| begin(&server)).collect::<TestResult<Vec<_>>>()?;
    assert_there_is_no_place(&server)?;
    drop(slow);

    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if server.request("GET", &format!("{PATH}/export?actor=nobody"))?.status == 200 {
            return Ok(());
        }
        sleep(Duration::from_millis(20));
    }
    Err("no place became free".into())
}
