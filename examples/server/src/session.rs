//! Signing in with the token, which gives the browser a cookie, and signing out.

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{COOKIE, unauthorized};
use crate::app::App;
use crate::body;
use crate::error::ApiError;

const MAX_BYTES: usize = 16 << 10;

/// The credentials to sign in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The server's token.
    token: String,
}

/// Sign in: exchange the token for a cookie.
///
/// The cookie is for the page, whose downloads and live view cannot send the token in a header. A server without a
/// token accepts any value.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = SignIn, security(()),
    responses(
        (status = 204, description = "The cookie is in `Set-Cookie`", headers(("set-cookie" = String))),
        (status = 401, description = "The token is wrong"),
        (status = 413, description = "The body exceeds 16 KiB"),
    ),
)]
pub(crate) async fn sign_in(State(app): State<App>, body: Body) -> Result<Response, ApiError> {
    let body = body::receive(body, MAX_BYTES).await?;
    let SignIn { token } = serde_json::from_slice(&body)
        .map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "the body must be {\"token\": \"…\"}"))?;
    Ok(match app.access.cookie_for(&token) {
        None => unauthorized("this is not the server's token").into_response(),
        Some(value) => (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(value, ""))]).into_response(),
    })
}

/// Sign out: delete the cookie.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "The browser deletes the cookie", headers(("set-cookie" = String)))),
)]
pub(crate) async fn sign_out() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", "; Max-Age=0"))])
}

/// Without `Secure`, because a browser might not send such a cookie to a server on this machine over plain HTTP.
fn cookie(value: &str, expiry: &str) -> String {
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{expiry}")
}
