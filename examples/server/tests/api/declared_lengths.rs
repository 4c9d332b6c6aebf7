//! A body that says that it is too long.

use std::io::{Read, Write};
use std::net::Shutdown;

use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry};

/// Sends the head of a request, but nothing of its body, and returns the answer.
fn declare(server: &Server, method: &str, path: &str, bytes: u64, expect: &str) -> TestResult<String> {
    let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{expect}");
    let mut stream = server.dial()?;
    write!(stream, "{head}content-length: {bytes}\r\n\r\n")?;
    // Up to the end of the answer, which ends with the object that holds the error.
    let mut answer = Vec::new();
    while !answer.ends_with(b"}}") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        answer.extend(byte);
    }
    Ok(String::from_utf8(answer)?)
}

#[test]
fn a_body_that_declares_too_many_bytes_is_refused_before_any_of_them_is_sent() -> TestResult {
    let server = Server::start()?;
    for (method, path, limit) in
        [("POST", PATH, 16 << 20), ("PUT", "/api/v1/activity-log/retention?actor=alice", 16 << 10)]
    {
        for expect in ["", "expect: 100-continue\r\n"] {
            let answer = declare(&server, method, path, limit + 1, expect)?;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{path}: {answer}");
            assert!(answer.contains(&format!("the body must not exceed {limit} bytes")), "{path}: {answer}");
        }
    }
    Ok(())
}

#[test]
fn a_form_that_declares_too_many_bytes_is_refused_before_any_of_them_is_sent() -> TestResult {
    let server = Server::start_with(&["--token", "a-token-that-is-long-enough-for-anyone"])?;
    let head = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 99999999999\r\n\r\n";
    let bearer = "authorization: Bearer a-token-that-is-long-enough-for-anyone\r\n";
    for path in ["/sign-in", "/devices"] {
        let mut stream = server.dial()?;
        write!(stream, "POST {path} HTTP/1.1\r\nhost: localhost\r\n{bearer}{head}")?;
        let mut answer = [0; 13];
        stream.read_exact(&mut answer)?;
        assert_eq!(&answer, b"HTTP/1.1 413 ", "{path}");
    }
    Ok(())
}

#[test]
fn a_client_that_sends_its_body_all_the_same_receives_the_refusal() -> TestResult {
    let server = Server::start()?;
    let mut stream = server.dial()?;
    let bytes = 40 << 20;
    write!(stream, "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {bytes}\r\n\r\n")?;
    stream.write_all(&vec![b'\n'; bytes])?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    Ok(())
}

#[test]
fn a_long_body_without_a_declared_length_is_read_to_its_end_and_refused() -> TestResult {
    let server = Server::start()?;
    let mut stream = server.dial()?;
    write!(
        stream,
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    )?;
    for _ in 0..17 {
        write!(stream, "100000\r\n")?;
        stream.write_all(&vec![b'\n'; 1 << 20])?;
        write!(stream, "\r\n")?;
    }
    write!(stream, "0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("16777216 bytes"), "{answer}");
    Ok(())
}

#[test]
fn a_refused_body_leaves_the_server_to_others() -> TestResult {
    let server = Server::start()?;
    for _ in 0..20 {
        declare(&server, "POST", PATH, u64::MAX >> 1, "")?;
    }
    let stream = server.dial()?;
    stream.shutdown(Shutdown::Both)?;
    assert_eq!(server.post_json(&entry("Short"))?.status, 201);
    assert_eq!(server.get("actor=alice")?.body["entries"][0]["message"], json!("Short"));
    Ok(())
}
