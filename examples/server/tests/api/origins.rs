use crate::server::{PATH, Server, TestResult};

#[test]
fn without_a_token_only_requests_to_names_of_this_machine_are_answered() -> TestResult {
    let server = Server::start()?;
    let port = server.address.rsplit(':').next().unwrap_or_default();
    for name in ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"] {
        for host in [name.to_owned(), format!("{name}:{port}")] {
            assert_eq!(server.request_with("GET", PATH, &[("host", &host)])?.status, 200, "{host}");
        }
    }
    for host in ["example.com", "localhost.example.com", "127.0.0.1.example.com", "192.0.2.7", "[::2]", "0.0.0.0"] {
        for path in [PATH, "/", "/healthz"] {
            let answer = server.request_with("GET", path, &[("host", &format!("{host}:{port}"))])?;
            assert_eq!(answer.status, 403, "{host}{path}");
            assert!(answer.error("message").as_str().is_some_and(|message| message.contains("Host")));
        }
    }
    Ok(())
}

#[test]
fn pages_of_other_sites_may_not_use_the_api() -> TestResult {
    let server = Server::start()?;
    let foreign = [
        ("origin", "http://example.com"),
        ("origin", "http://localhost:1"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for header in foreign {
        let cleared = server.request_with("DELETE", &format!("{PATH}?actor=mallory"), &[header])?;
        assert_eq!(cleared.status, 403, "{header:?}");
        let exported = server.request_with("GET", &format!("{PATH}/export"), &[header])?;
        assert_eq!(exported.status, 403, "{header:?}");
        assert_eq!(server.request_with("GET", &format!("{PATH}/count"), &[header])?.status, 403, "{header:?}");
    }
    assert_eq!(server.get("")?.entries()?.len(), 1);
    Ok(())
}

#[test]
fn the_servers_own_page_may_write() -> TestResult {
    let server = Server::start()?;
    let own = format!("http://{}", server.address);
    let headers = [("origin", &*own), ("sec-fetch-site", "same-origin")];
    let answer = server.request_with("DELETE", &format!("{PATH}?actor=alice"), &headers)?;
    assert_eq!(answer.status, 200);
    let exported = server.request_with("GET", &format!("{PATH}/export"), &[("sec-fetch-site", "none")])?;
    assert_eq!(exported.status, 200);
    Ok(())
}

#[test]
fn the_servers_own_page_may_write_through_a_proxy_that_names_another_host() -> TestResult {
    let server = Server::start_with(&["--token", "secret"])?;
    let headers = [
        ("authorization", "Bearer secret"),
        ("host", "127.0.0.1:8080"),
        ("origin", "https://log.example.com"),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(server.request_with("DELETE", &format!("{PATH}?actor=alice"), &headers)?.status, 200);
    Ok(())
}
