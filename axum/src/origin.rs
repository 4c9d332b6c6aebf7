//! Refuses requests that another site makes through the browser of somebody who may use the server.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::host::host_of;

/// Passes on the requests that, by their headers, come from the server's own pages or from no page at all. Refuses others
/// with 403 if they write or their path begins with `/api/`. Other reads pass: other sites may link to pages.
///
/// A viewer does this for its own routes. A host can do it for its routes too, such as for the forms of its pages.
///
/// ```
/// # use axum::{Router, middleware::from_fn};
/// # fn with_forms(app: Router) -> Router {
/// app.layer(from_fn(activity_log_axum::refuse_other_sites))
/// # }
/// ```
pub async fn refuse_other_sites(request: Request, next: Next) -> Response {
    let headers = request.headers();
    // Reads are guarded too: exports are recorded, and response times would tell another site what is in the log.
    let guarded = !request.method().is_safe() || request.uri().path().starts_with("/api/");
    if guarded && is_foreign(headers, host_of(&request)) {
        let error = ApiError::new(StatusCode::FORBIDDEN, "pages of other sites may not use the API");
        return error.and_close().into_response();
    }
    next.run(request).await
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
