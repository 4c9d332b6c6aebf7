//! Answers to clients that take gzip.

use std::io::{BufRead, BufReader, Read, Write};

use activity_log::export::read_ndjson;
use diesel::RunQueryDsl;
use flate2::read::GzDecoder;

use crate::events::Events;
use crate::server::{PATH, Server, TestResult, entry};

/// The head and the body of an answer to a client that takes gzip, the chunks put together. The body must be complete.
fn get(server: &Server, path: &str, headers: &str) -> TestResult<(String, Vec<u8>)> {
    let answer = server.send_raw(request(path, headers))?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("no head")?;
    let (head, body) = answer.split_at_checked(end + 4).ok_or("no body")?;
    let head = String::from_utf8(head.to_vec())?;
    let body = if head.contains("\r\ntransfer-encoding: chunked\r\n") { unchunk(body)? } else { body.to_vec() };
    Ok((head, body))
}

fn request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
}

const GZIP: &str = "accept-encoding: br, gzip\r\n";

/// Fails where the last, empty chunk is missing.
fn unchunk(mut chunked: impl BufRead) -> TestResult<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        chunked.read_line(&mut size)?;
        let size = u64::from_str_radix(size.trim_end(), 16).map_err(|_| "the body is cut off")?;
        if size == 0 {
            return Ok(body);
        }
        let read = chunked.by_ref().take(size).read_to_end(&mut body)?;
        if (read as u64) < size || chunked.read_line(&mut String::new())? == 0 {
            return Err("the body is cut off".into());
        }
    }
}

fn gunzip(body: &[u8]) -> TestResult<String> {
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn pages_and_files_are_compressed_for_clients_that_take_it() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry("The same again and again"); 200])?;
    for path in ["/app.js", PATH, "/openapi.json", &format!("{PATH}/export?actor=alice")] {
        let (head, plain) = get(&server, path, "")?;
        assert!(!head.contains("content-encoding"), "{path}: {head}");
        let (head, compressed) = get(&server, path, GZIP)?;
        assert!(head.contains("\r\ncontent-encoding: gzip\r\n"), "{path}: {head}");
        assert!(head.to_ascii_lowercase().contains("\r\nvary: accept-encoding\r\n"), "{path}: {head}");
        assert!(compressed.len() < plain.len() / 2, "{path}: {} of {}", compressed.len(), plain.len());
        assert_eq!(gunzip(&compressed)?, String::from_utf8(plain)?, "{path}");
    }
    Ok(())
}

#[test]
fn what_is_small_or_refused_by_the_client_is_not_compressed() -> TestResult {
    let server = Server::start()?;
    for (path, headers) in [
        ("/healthz", GZIP),
        ("/nothing", GZIP),
        ("/app.js", "accept-encoding: gzip;q=0\r\n"),
        ("/app.js", "accept-encoding: br\r\n"),
    ] {
        let (head, _) = get(&server, path, headers)?;
        assert!(!head.contains("content-encoding"), "{path} {headers}: {head}");
    }
    Ok(())
}

#[test]
fn a_stream_is_never_compressed() -> TestResult {
    let server = Server::start()?;
    // No event is waited for yet: it might stay in the encoder.
    let mut stream = BufReader::new(server.dial()?);
    stream.get_mut().write_all(request(&format!("{PATH}/stream"), GZIP).as_bytes())?;
    let head = stream.lines().map_while(|line| line.ok().filter(|line| !line.is_empty())).collect::<Vec<_>>();
    assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
    assert!(!head.iter().any(|line| line.starts_with("content-encoding")), "{head:?}");

    let mut events = Events::open_with(&server, "", GZIP)?;
    server.post_json(&entry(&"long ".repeat(1_000)))?;
    assert_eq!(events.messages(1)?.len(), 1);
    Ok(())
}

#[test]
fn a_compressed_file_has_another_tag_by_which_the_browser_need_not_load_it_again() -> TestResult {
    let server = Server::start()?;
    let plain = server.request("GET", "/app.js")?.header("etag").to_owned();
    let (head, _) = get(&server, "/app.js", GZIP)?;
    assert!(head.contains(&format!("\r\netag: W/{plain}\r\n")), "{head}");
    let (head, body) = get(&server, "/app.js", &format!("{GZIP}if-none-match: W/{plain}\r\n"))?;
    assert!(head.starts_with("HTTP/1.1 304 ") && body.is_empty(), "{head}");
    Ok(())
}

#[test]
fn a_compressed_export_that_fails_midway_is_cut_off() -> TestResult {
    let server = Server::start()?;
    // Compressed, all of it would fit into the buffers on the way, so the text must not repeat itself.
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    };
    for _ in 0..2 {
        let entries = (0..200).map(|_| entry(&(0..3_500).map(|_| random()).collect::<String>())).collect::<Vec<_>>();
        assert_eq!(server.post_ndjson(&entries)?.status, 201);
    }
    let mut stream = BufReader::new(server.dial()?);
    stream.get_mut().write_all(request(&format!("{PATH}/export?actor=alice"), GZIP).as_bytes())?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line)?;
    }
    let mut conn = server.connect()?;
    diesel::sql_query("ALTER TABLE activity_log RENAME TO hidden").execute(&mut conn)?;
    let mut chunks = Vec::new();
    // The connection may also be reset.
    _ = stream.read_to_end(&mut chunks);
    assert!(!chunks.is_empty());
    assert!(unchunk(chunks.as_slice()).is_err(), "the body appears complete");
    Ok(())
}

#[test]
fn a_compressed_export_that_is_complete_holds_every_entry() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&(0..20_000).map(|number| entry(&format!("Entry {number}"))).collect::<Vec<_>>())?;
    let (_, body) = get(&server, &format!("{PATH}/export?actor=alice"), GZIP)?;
    let text = gunzip(&body)?;
    let read = read_ndjson(text.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(read.len(), 20_000);
    Ok(())
}
