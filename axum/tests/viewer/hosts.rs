//! The host that a request names.

use activity_log_axum::{names_this_machine, require_one_host};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, Version};
use axum::middleware::from_fn;
use axum::routing::get;

use crate::viewer::TestResult;
use crate::viewer::host::send;

fn request(version: Version, uri: &str, hosts: &[&str]) -> TestResult<Request<Body>> {
    let request = Request::get(uri).version(version);
    Ok(hosts.iter().fold(request, |request, host| request.header("host", *host)).body(Body::empty())?)
}

#[tokio::test]
async fn a_request_must_name_exactly_one_host() -> TestResult {
    let router = Router::new().route("/", get(async || "")).layer(from_fn(require_one_host));
    for (version, uri, hosts, status) in [
        (Version::HTTP_11, "/", &["example.com"][..], StatusCode::OK),
        (Version::HTTP_11, "/", &[], StatusCode::BAD_REQUEST),
        (Version::HTTP_11, "http://example.com/", &[], StatusCode::BAD_REQUEST),
        (Version::HTTP_11, "/", &["example.com", "example.org"], StatusCode::BAD_REQUEST),
        (Version::HTTP_11, "/", &["a b"], StatusCode::BAD_REQUEST),
        (Version::HTTP_10, "/", &[], StatusCode::OK),
        (Version::HTTP_2, "https://example.com/", &[], StatusCode::OK),
        (Version::HTTP_2, "https://example.com/", &["example.org"], StatusCode::BAD_REQUEST),
        (Version::HTTP_2, "/", &[], StatusCode::BAD_REQUEST),
    ] {
        let answer = send(&router, request(version, uri, hosts)?).await?;
        assert_eq!(answer.status, status, "{version:?} {uri} {hosts:?}");
    }
    Ok(())
}

#[test]
fn this_machine_is_named_in_any_version_of_http() -> TestResult {
    for (uri, hosts, is_named) in [
        ("/", &["localhost:8080"][..], true),
        ("/", &["[::1]"], true),
        ("/", &["localhost.example.com"], false),
        ("https://127.0.0.1/", &[], true),
        ("https://example.com/", &[], false),
        ("/", &[], false),
    ] {
        let request = request(Version::HTTP_2, uri, hosts)?;
        assert_eq!(names_this_machine(&request), is_named, "{uri} {hosts:?}");
    }
    Ok(())
}
