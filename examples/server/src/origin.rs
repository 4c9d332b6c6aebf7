//! Requests that a page from elsewhere makes in the browser of somebody who may use the server.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};

use crate::error::ApiError;

/// Refuses what a browser says is not from this server's own page.
///
/// `open` is a server without a token, which everybody on the machine may use: a name in `Host` that is not the
/// machine's own is one that a page from elsewhere had pointed at it (DNS rebinding), so that it would count as from here.
pub(crate) fn check(request: &Request, open: bool) -> Result<(), ApiError> {
    let headers = request.headers();
    let host = text(headers, "host");
    if open && !is_loopback(host) {
        let message =
            "without a token the server answers to localhost, 127.0.0.1 and [::1] only, in the header Host too";
        return Err(ApiError::new(StatusCode::FORBIDDEN, message));
    }
    // Reading too: an export is recorded, and how long an answer takes would tell a page from elsewhere what is in the log.
    let guarded = !request.method().is_safe() || request.uri().path().starts_with("/api/");
    if guarded && is_foreign(headers, host) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "a page from elsewhere may not do this"));
    }
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    match text(headers, "sec-fetch-site") {
        // An older browser, or none. Behind a proxy `Host` may be another than the page's, but that has the other header.
        "" => headers.get(header::ORIGIN).is_some_and(|origin| {
            let origin = origin.to_str().unwrap_or_default();
            origin.split_once("://").is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host))
        }),
        // `none` is a person's own doing: a bookmark, an address typed in.
        site => !matches!(site, "same-origin" | "none"),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if port.is_empty() || port.starts_with(':') => address,
        Some(_) => return false,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
