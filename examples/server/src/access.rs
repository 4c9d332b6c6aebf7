//! Who may use the server: clients that know its token or, on a server without a token, clients on this machine.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use activity_log_axum::is_page_file;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::ApiError;
use crate::origin;

/// The cookie that stands for the token where a page cannot send headers: an `EventSource`, a download.
pub(crate) const COOKIE: &str = "activity_log_token";

/// What a request needs to be admitted. Only hashes of the token are kept: they have a fixed length, so comparing them
/// reveals nothing about the token.
pub(crate) struct Access {
    token: Option<Secret>,
}

struct Secret {
    token: [u8; 32],
    /// In hexadecimal. A hash, so that a stolen cookie does not reveal the token.
    cookie: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.token.is_some() { "set" } else { "none" };
        formatter.debug_struct("Access").field("token", &token).finish()
    }
}

impl Access {
    /// Refuses to listen beyond loopback without a token, which would admit anyone.
    pub(crate) fn new(listen: SocketAddr, token: Option<&str>) -> Result<Self, String> {
        match token {
            None if !listen.ip().is_loopback() => Err(format!(
                "refuses to listen on {listen} without a token, because other machines can reach it: set a token \
                 with ACTIVITY_LOG_TOKEN or --token, or listen on 127.0.0.1"
            )),
            None => Ok(Self { token: None }),
            Some("") => Err("the token is empty: set a long random token, or none".to_owned()),
            Some(token) if token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                let cookie = Sha256::new().chain_update("activity-log cookie\0").chain_update(token).finalize();
                let token = Sha256::digest(token).into();
                Ok(Self { token: Some(Secret { token, cookie: format!("{cookie:x}") }) })
            }
            Some(_) => {
                Err("the token must consist of visible ASCII characters, because clients send it in an HTTP header"
                    .to_owned())
            }
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.token.is_none()
    }

    /// The value of the cookie, or `None` when `token` is wrong. A server without a token accepts any.
    pub(crate) fn cookie_for(&self, token: &str) -> Option<&str> {
        match &self.token {
            None => Some(""),
            Some(secret) => {
                let same = bool::from(Sha256::digest(token).ct_eq(&secret.token));
                same.then_some(secret.cookie.as_str())
            }
        }
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(secret) = &self.token else { return true };
        bearer(headers).is_some_and(|token| self.cookie_for(token).is_some())
            || cookies(headers).any(|cookie| cookie.as_bytes().ct_eq(secret.cookie.as_bytes()).into())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::COOKIE).into_iter().filter_map(|list| list.to_str().ok());
    lists
        .flat_map(|list| list.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// Requests that need no token. The page is a shell without entries, and signing in is how a browser gets past it.
fn is_public(method: &Method, path: &str) -> bool {
    let reads = *method == Method::GET || *method == Method::HEAD;
    match path {
        "/healthz" => reads,
        "/api/v1/session" => *method == Method::POST,
        path => reads && is_page_file(path),
    }
}

/// Passes on the requests that [`Access`] admits and refuses the others.
pub(crate) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    if let Err(refused) = origin::check(&request, access.is_open()) {
        return refused.into_response();
    }
    if is_public(request.method(), request.uri().path()) || access.admits(request.headers()) {
        return next.run(request).await;
    }
    unauthorized("this request needs the server's token: Authorization: Bearer …").into_response()
}

/// A 401 with the challenge that HTTP requires.
pub(crate) fn unauthorized(message: &str) -> impl IntoResponse + use<> {
    let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
    (challenge, ApiError::new(StatusCode::UNAUTHORIZED, message))
}
