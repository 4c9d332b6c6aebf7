use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry};

const MEGABYTE: usize = 1 << 20;

/// Sixty-four megabytes of entries: more than the buffers on the way can hold.
fn server_with_megabytes() -> TestResult<Server> {
    let server = Server::start()?;
    let long = entry(&"x".repeat(MEGABYTE / 16));
    for _ in 0..16 {
        assert_eq!(server.post_ndjson(&vec![long.clone(); 64])?.status, 201);
    }
    Ok(server)
}

/// Begins an export and reads only the status line.
fn begin(server: &Server) -> TestResult<TcpStream> {
    let mut stream = server.dial()?;
    write!(stream, "GET {PATH}/export?actor=alice HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200 OK".len()];
    stream.read_exact(&mut status)?;
    assert_eq!(&status, b"HTTP/1.1 200 OK");
    Ok(stream)
}

fn assert_too_many_exports(server: &Server) -> TestResult {
    let answer = server.request("GET", &format!("{PATH}/export"))?;
    assert_eq!((answer.status, answer.error("message")), (503, &json!("too many exports are running; try again")));
    Ok(())
}

/// The memory of the server once it has stopped growing.
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
fn slow_exports_take_little_memory_and_do_not_slow_others_down() -> TestResult {
    let server = server_with_megabytes()?;
    // Warm up, so that the memory for an ordinary request is not counted.
    assert_eq!(server.get("limit=1")?.status, 200);
    let before = server.memory()?;
    let mut slow = (0..4).map(|_| begin(&server)).collect::<TestResult<Vec<_>>>()?;
    let grown = steady_memory(&server)?.saturating_sub(before);
    // Without waiting for the clients, this would be four times 64 MiB.
    assert!(grown < 48 * MEGABYTE as u64, "{grown} bytes");

    assert_too_many_exports(&server)?;
    for _ in 0..20 {
        assert_eq!(server.post_json(&entry("Meanwhile"))?.status, 201);
        assert_eq!(server.get("limit=1")?.messages()?, ["Meanwhile"]);
    }
    // A client that reads on receives the whole export.
    let mut whole = Vec::new();
    if let Some(stream) = slow.first_mut() {
        stream.read_to_end(&mut whole)?;
    }
    assert!(whole.len() > 64 * MEGABYTE && whole.ends_with(b"0\r\n\r\n"), "{} bytes", whole.len());
    Ok(())
}

#[test]
fn a_client_that_disconnects_makes_room_for_another_export() -> TestResult {
    let server = server_with_megabytes()?;
    let slow = (0..4).map(|_| begin(&server)).collect::<TestResult<Vec<_>>>()?;
    assert_too_many_exports(&server)?;
    drop(slow);

    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if server.request("GET", &format!("{PATH}/export?actor=nobody"))?.status == 200 {
            return Ok(());
        }
        sleep(Duration::from_millis(20));
    }
    Err("no export ended".into())
}
