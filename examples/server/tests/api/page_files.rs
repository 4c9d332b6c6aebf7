//! How browsers keep the page's files.

use std::collections::HashSet;

use crate::server::{PATH, Server, TestResult};

const FILES: [&str; 4] = ["/", "/app.js", "/style.css", "/list.js"];

#[test]
fn each_file_has_a_tag_of_its_own_that_stays_the_same() -> TestResult {
    let (server, other) = (Server::start()?, Server::start()?);
    let mut tags = HashSet::new();
    for path in FILES {
        let answer = server.request("GET", path)?;
        let tag = answer.header("etag").to_owned();
        assert!(tag.len() > 20 && tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert_eq!(other.request("GET", path)?.header("etag"), tag, "{path}");
        assert!(tags.insert(tag), "{path}");
    }
    Ok(())
}

#[test]
fn a_file_that_the_browser_has_is_not_sent_again() -> TestResult {
    let server = Server::start()?;
    for path in FILES {
        let sent = server.request("GET", path)?;
        let tag = sent.header("etag");
        for known in [tag, &format!("W/{tag}"), &format!("\"another\", {tag}"), "*"] {
            for method in ["GET", "HEAD"] {
                let answer = server.request_with(method, path, &[("if-none-match", known)])?;
                assert_eq!((answer.status, &*answer.text), (304, ""), "{method} {path} {known}");
                for name in ["etag", "cache-control", "content-security-policy"] {
                    assert_eq!(answer.header(name), sent.header(name), "{method} {path} {name}");
                }
            }
        }
        for known in ["\"another\"", "", tag.trim_matches('"')] {
            let answer = server.request_with("GET", path, &[("if-none-match", known)])?;
            assert_eq!((answer.status, &*answer.text), (200, &*sent.text), "{path} {known}");
        }
    }
    Ok(())
}

#[test]
fn the_head_of_a_file_is_that_of_its_get() -> TestResult {
    let server = Server::start()?;
    for path in FILES {
        let (get, head) = (server.request("GET", path)?, server.request("HEAD", path)?);
        assert_eq!((head.status, &*head.text), (200, ""), "{path}");
        for name in ["etag", "content-length", "content-type", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    Ok(())
}

#[test]
fn entries_have_no_tag() -> TestResult {
    let server = Server::start()?;
    assert_eq!(server.request("GET", PATH)?.header("etag"), "");
    Ok(())
}
