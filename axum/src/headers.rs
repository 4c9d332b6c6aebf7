//! The response headers that restrict what a browser does with a response.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Nothing may cache entries, and nothing may render an API response as a page. The page sets its own values.
const DEFAULTS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Sets the headers that a viewer's responses have: nothing caches a response or takes it for something else, and it
/// may not load anything, be framed, or tell other sites its address. A response keeps a policy or a `Cache-Control`
/// that it has already; below `/api/`, the latter is always `no-store`.
///
/// A viewer does this for its own routes. A host can do it for its routes too.
///
/// ```
/// # use axum::{Router, middleware::from_fn};
/// # fn with_strict_headers(app: Router) -> Router {
/// app.layer(from_fn(activity_log_axum::strict_headers))
/// # }
/// ```
pub async fn strict_headers(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if is_api {
        // Some response types of axum, such as `Sse`, set a weaker one.
        headers.remove(header::CACHE_CONTROL);
    }
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
