//! The name that a client calls the server by.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Refuses a request that does not name exactly one host, with 400. If there are two headers `Host`, a
/// proxy in front may have used the other one. Make this the outermost layer.
///
/// A request of HTTP/1.0 may leave the header out.
///
/// ```
/// # use axum::{Router, middleware::from_fn};
/// # fn outermost(app: Router) -> Router {
/// app.layer(from_fn(activity_log_axum::require_one_host))
/// # }
/// ```
pub async fn require_one_host(request: Request, next: Next) -> Response {
    match check(&request) {
        Ok(()) => next.run(request).await,
        Err(reason) => ApiError::new(StatusCode::BAD_REQUEST, reason).and_close().into_response(),
    }
}

fn check(request: &Request) -> Result<(), &'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        (Some(_), Some(_)) => return Err("the request has more than one header Host"),
        // HTTP/2 names it in the request itself.
        (None, _) if request.version() >= Version::HTTP_2 => {
            let is_named = request.uri().authority().is_some_and(|host| is_valid(host.as_str()));
            return if is_named { Ok(()) } else { Err("the request does not name a host") };
        }
        (None, _) if request.version() < Version::HTTP_11 => return Ok(()),
        (None, _) => return Err("the header Host is missing"),
    };
    if !host.to_str().is_ok_and(is_valid) {
        return Err("the header Host is not the name or the address of a host");
    }
    match request.uri().authority() {
        Some(named) if !host.as_bytes().eq_ignore_ascii_case(named.as_str().as_bytes()) => {
            Err("the request line names another host than the header Host")
        }
        _ => Ok(()),
    }
}

/// Whether this is a name, an IPv4 address, or an IPv6 address in brackets, with or without a port.
fn is_valid(host: &str) -> bool {
    let (is_name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            (!name.is_empty() && name.bytes().all(is_allowed), port)
        }
    };
    is_name && is_port(port)
}

/// Whether this is a colon and a port, a colon alone, or nothing.
fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':').unwrap_or(text);
    digits.is_empty() || (text.starts_with(':') && !digits.starts_with('+') && digits.parse::<u16>().is_ok())
}

/// The host that a request names, with its port if there is one; empty if it names none.
pub(crate) fn host_of(request: &Request) -> &str {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| request.uri().authority().map(Authority::as_str)).unwrap_or_default()
}

/// Whether a request calls the server by a name of this machine: `localhost`, or a loopback address.
///
/// A server that admits whoever is on its machine must require this. Otherwise, a website could point a name of its own at
/// the machine (DNS rebinding), and its pages would pass as the server's.
///
/// ```
/// use activity_log_axum::names_this_machine;
/// use axum::extract::Request;
///
/// let from = |host: &str| Request::get("/").header("host", host).body(axum::body::Body::empty());
/// assert!(names_this_machine(&from("localhost:8080")?));
/// assert!(!names_this_machine(&from("example.com")?));
/// # Ok::<_, axum::http::Error>(())
/// ```
#[must_use]
pub fn names_this_machine(request: &Request) -> bool {
    let host = host_of(request);
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if is_port(port) => address,
        Some(_) => return false,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
