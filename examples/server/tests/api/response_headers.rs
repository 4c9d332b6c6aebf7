use crate::server::{PATH, Server, TestResult};

#[test]
fn no_api_response_may_be_cached_or_rendered_as_a_page() -> TestResult {
    let server = Server::start()?;
    let paths = ["", "?limit=0", "/count", "/histogram", "/export", "/nothing"];
    for path in paths.map(|path| format!("{PATH}{path}")) {
        let answer = server.request("GET", &path)?;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'", "{path}");
    }
    let refused = server.request_with("GET", PATH, &[("host", "example.com")])?;
    assert_eq!((refused.status, refused.header("x-content-type-options")), (403, "nosniff"));
    Ok(())
}
