//! Refuses requests that another site makes through the browser of somebody who may use the server.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};

use crate::error::ApiError;

/// Refuses a request that, by its headers, does not come from this server's own page.
///
/// `open` means that the server has no token, so everyone on the machine may use it. Another site could then point its
/// own name at this machine (DNS rebinding) and pass as the same origin, so `Host` must be a name of this machine.
pub(crate) fn check(request: &Request, open: bool) -> Result<(), ApiError> {
    let headers = request.headers();
    let host = text(headers, "host");
    if open && !is_loopback(host) {
        let message =
            "without a token, the server answers only requests whose header Host is localhost, 127.0.0.1 or [::1]";
        return Err(ApiError::new(StatusCode::FORBIDDEN, message));
    }
    // Reads are guarded too: exports are recorded, and response times would tell another site what is in the log.
    let guarded = !request.method().is_safe() || request.uri().path().starts_with("/api/");
    if guarded && is_foreign(headers, host) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "pages of other sites may not use the API"));
    }
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    match text(headers, "sec-fetch-site") {
        // An old browser, or no browser. Behind a proxy, `Host` may differ from the page's host; that refuses only
        // browsers that do not send `Sec-Fetch-Site`.
        "" => headers.get(header::ORIGIN).is_some_and(|origin| {
            let origin = origin.to_str().unwrap_or_default();
            origin.split_once("://").is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host))
        }),
        // `none` is the user's own doing, such as a bookmark or a typed address.
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
