//! Clients that take too long to send a request.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::server::{PATH, Server, TestResult};

/// Sends the beginning of a request and returns what comes until the connection ends, and after how long.
fn begin(server: &Server, request: &str) -> TestResult<(String, Duration)> {
    let started = Instant::now();
    let mut stream = server.dial()?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok((answer, started.elapsed()))
}

#[test]
fn a_connection_without_a_whole_head_ends_after_ten_seconds() -> TestResult {
    let server = Server::start()?;
    std::thread::scope(|scope| {
        let begin = |request| begin(&server, request).map_err(|error| error.to_string());
        let silent = scope.spawn(move || begin(""));
        let slow = scope.spawn(move || begin("GET / HTTP/1.1\r\nhost: localhost\r\n"));
        for ended in [silent, slow] {
            let (answer, time) = ended.join().map_err(|_| "a client panicked")??;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
            assert!((9..30).contains(&time.as_secs()), "{time:?}");
        }
        Ok(())
    })
}

#[test]
fn a_body_that_pauses_for_thirty_seconds_is_refused() -> TestResult {
    let server = Server::start()?;
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    let (answer, time) = begin(&server, &format!("{head}content-length: 100\r\n\r\n{{"))?;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!((29..55).contains(&time.as_secs()), "{time:?}");
    Ok(())
}
