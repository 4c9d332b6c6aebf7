//! Where people sign in and out. A session's cookie then takes the place of the password, or of the server's token.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use activity_log::{ActivityCategory, ActivitySeverity, NewActivityLogEntry};
use askama::Template;
use axum::Form;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, FromRequest, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::body;
use crate::error::ApiError;
use crate::page::STYLE_SHEET;
use crate::sign_in::SignIn;
use crate::sign_in::identity::Identity;

/// The page runs no scripts. With the referrer policy of other responses, a browser would not say from which origin a form
/// is sent.
const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

const MAX_BYTES: usize = 16 << 10;

/// How many characters of a name that was tried are recorded.
const MAX_RECORDED: usize = 200;

/// Where one signs in to be led to a path of this server.
pub(crate) fn url(next: &str) -> String {
    format!("{}?next={}", SignIn::SIGN_IN_PATH, utf8_percent_encode(next, NON_ALPHANUMERIC))
}

/// Where a reader wants to go after signing in.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

impl Next {
    /// A path of this server: browsers take what begins with two slashes or backslashes for another host.
    fn path(&self) -> &str {
        let rest = self.next.strip_prefix('/');
        let is_path = rest.is_some_and(|rest| !rest.starts_with('/') && !rest.contains(['\\', '\r', '\n', '\t']));
        if is_path && self.next.bytes().all(|byte| byte.is_ascii_graphic()) { &self.next } else { "/" }
    }
}

/// What somebody signs in with: a name and a password, or the server's token without a name.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    #[serde(default)]
    name: String,
    password: String,
}

impl Credentials {
    async fn receive(request: Request) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let body = body::receive(&head.headers, body, MAX_BYTES).await?;
        let form = Form::from_request(Request::from_parts(head, Body::from(body)), &()).await;
        form.map(|Form(credentials)| credentials)
            .map_err(|rejection| ApiError::new(rejection.status(), rejection.body_text()))
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    /// Whether people sign in with a name; otherwise with the token alone.
    asks_for_name: bool,
    name: &'a str,
    /// Why nobody has signed in; empty at first.
    problem: &'a str,
}

pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE_SHEET)
}

pub(crate) async fn show(State(sign_in): State<Arc<SignIn>>, Query(next): Query<Next>) -> Result<Response, ApiError> {
    if sign_in.is_open_now().await? {
        return Ok(Redirect::to(next.path()).into_response());
    }
    Ok(form(sign_in.asks_for_name().await?, "", ""))
}

/// The form is sent to its own address, so the fragment of the address, such as that of an entry, is kept.
fn form(asks_for_name: bool, name: &str, problem: &str) -> Response {
    match (Page { asks_for_name, name, problem }).render() {
        Ok(page) => (HEADERS, Html(page)).into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

pub(crate) async fn sign_in(
    State(sign_in): State<Arc<SignIn>>,
    client: Option<Extension<ConnectInfo<SocketAddr>>>,
    Query(next): Query<Next>,
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let Credentials { name, password } = Credentials::receive(request).await?;
    if sign_in.is_open_now().await? {
        return Ok(Redirect::to(next.path()).into_response());
    }
    let address: Option<IpAddr> = client.map(|Extension(ConnectInfo(client))| client.ip());
    let asks_for_name = sign_in.asks_for_name().await?;
    let attempt = match sign_in.attempts.begin(&name, address) {
        Ok(attempt) => attempt,
        Err(wait) => return Ok(slowed(asks_for_name, &name, wait)),
    };
    let checked = sign_in.check(&name, password).await;
    if checked.is_err() {
        sign_in.attempts.abandoned(&attempt);
    }
    let Some(signed_in) = checked? else {
        sign_in.attempts.failed();
        let tried = name.chars().take(MAX_RECORDED).collect::<String>();
        let message =
            if name.is_empty() { "A sign-in failed".to_owned() } else { format!("A sign-in as {tried} failed") };
        let entry = NewActivityLogEntry::here(ActivityCategory::Auth, "user.sign_in_failed", message);
        sign_in.record(entry.severity(ActivitySeverity::Warning).metadata_value("name", tried)).await;
        let problem = if asks_for_name { "The name or the password is wrong." } else { "That is not the token." };
        return Ok((StatusCode::UNAUTHORIZED, form(asks_for_name, &name, problem)).into_response());
    };
    sign_in.attempts.succeeded(attempt);
    sign_in.sessions.end(&headers);
    let entry = about(&signed_in.who, "user.signed_in", "signed in");
    let cookie = sign_in.sessions.begin(signed_in);
    sign_in.record(entry).await;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next.path())).into_response())
}

fn slowed(asks_for_name: bool, name: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let problem = format!("Too many attempts have failed. Try again in {seconds} {unit}.");
    let headers = [(header::RETRY_AFTER, seconds.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, headers, form(asks_for_name, name, &problem)).into_response()
}

pub(crate) async fn sign_out(
    State(sign_in): State<Arc<SignIn>>,
    Extension(who): Extension<Identity>,
    headers: HeaderMap,
) -> Response {
    if sign_in.sessions.end(&headers) {
        sign_in.record(about(&who, "user.signed_out", "signed out")).await;
    }
    ([(header::SET_COOKIE, sign_in.sessions.forget())], Redirect::to(SignIn::SIGN_IN_PATH)).into_response()
}

impl SignIn {
    /// Whether people sign in with a name; otherwise with the token alone.
    async fn asks_for_name(self: &Arc<Self>) -> Result<bool, ApiError> {
        Ok(self.token.is_none() || self.has_users().await?)
    }
}

/// An entry about what somebody did with their session.
fn about(who: &Identity, action: &str, did: &str) -> NewActivityLogEntry {
    let actor = who.name();
    let entry = NewActivityLogEntry::here(ActivityCategory::Auth, action, format!("{actor} {did}"));
    NewActivityLogEntry { actor: actor.to_owned(), ..entry }
}
