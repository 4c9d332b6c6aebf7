//! The header `Host`, by which the server tells what it is called from what another site calls it.

use crate::server::{PATH, Server, TestResult};

/// The first line of the answer to a request with these lines among its headers.
fn status(server: &Server, path: &str, lines: &str) -> TestResult<String> {
    let answer = server.send_raw(format!("GET {path} HTTP/1.1\r\n{lines}connection: close\r\n\r\n"))?;
    Ok(String::from_utf8(answer)?.lines().next().unwrap_or_default().to_owned())
}

const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request";

#[test]
fn a_request_with_two_hosts_is_refused_wherever_it_goes() -> TestResult {
    for arguments in [&[][..], &["--token", "secret"]] {
        let server = Server::start_with(arguments)?;
        for path in [PATH, "/", "/healthz", "/nothing"] {
            for lines in ["host: localhost\r\nhost: localhost\r\n", "host: localhost\r\nHost: example.com\r\n"] {
                assert_eq!(status(&server, path, lines)?, BAD_REQUEST, "{arguments:?} {path} {lines}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_host_that_is_missing_or_malformed_is_refused_before_the_token_is_asked_for() -> TestResult {
    let server = Server::start_with(&["--token", "secret"])?;
    for host in [
        "",
        " ",
        ":80",
        "a b",
        "localhost, example.com",
        "user@localhost",
        "http://localhost",
        "localhost/",
        "localhost:x",
        "localhost:65536",
        "localhost:80:80",
        "[::1",
        "[::1].example.com",
        "[localhost]",
        "::1",
        "caf\u{e9}",
    ] {
        assert_eq!(status(&server, PATH, &format!("host: {host}\r\n"))?, BAD_REQUEST, "{host}");
    }
    assert_eq!(status(&server, PATH, "")?, BAD_REQUEST);
    for host in ["localhost", "localhost:", "log.example.com:8080", "my_host", "192.0.2.7", "[2001:db8::1]:443"] {
        assert_eq!(status(&server, PATH, &format!("host: {host}\r\n"))?, "HTTP/1.1 401 Unauthorized", "{host}");
    }
    Ok(())
}

#[test]
fn a_request_line_that_names_another_host_than_the_header_is_refused() -> TestResult {
    let server = Server::start()?;
    for (url, expected) in [
        (format!("http://example.com{PATH}"), BAD_REQUEST),
        (format!("http://localhost:1{PATH}"), BAD_REQUEST),
        (format!("http://LOCALHOST{PATH}"), "HTTP/1.1 200 OK"),
    ] {
        assert_eq!(status(&server, &url, "host: localhost\r\n")?, expected, "{url}");
    }
    Ok(())
}

#[test]
fn an_old_client_without_a_host_is_answered_where_the_token_admits_it() -> TestResult {
    let server = Server::start_with(&["--token", "secret"])?;
    let answer = server.send_raw(format!("GET {PATH} HTTP/1.0\r\nauthorization: Bearer secret\r\n\r\n"))?;
    assert!(answer.starts_with(b"HTTP/1.0 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}
