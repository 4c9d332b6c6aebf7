//! Where people sign in and out. A session's cookie then takes the place of the password, or of the server's token.

use std::net::SocketAddr;
use std::time::Duration;

use activity_log::{ActivityCategory, ActivitySeverity, NewActivityLogEntry};
use activity_log_axum::ApiError;
use axum::Form;
use axum::extract::{ConnectInfo, Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::timeout;

use crate::app::App;
use crate::html::page;
use crate::identity::Identity;
use crate::sessions::SignedIn;
use crate::users::is_name;

pub(crate) const PATH: &str = "/sign-in";
pub(crate) const OUT: &str = "/sign-out";

/// As many characters of a name that was tried are recorded.
const MAX_RECORDED: usize = 200;

/// How long an answer waits for its entry: nobody has to wait for a database that is busy.
const RECORDED_WITHIN: Duration = Duration::from_secs(1);

/// Where one signs in to be led to a path of this server.
pub(crate) fn url(next: &str) -> String {
    format!("{PATH}?next={}", utf8_percent_encode(next, NON_ALPHANUMERIC))
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

pub(crate) async fn show(State(app): State<App>, Query(next): Query<Next>) -> Response {
    if app.access.is_open() { Redirect::to(next.path()).into_response() } else { form(&app, "", "") }
}

/// The form is sent to its own address, so the fragment of the address, such as that of an entry, is kept.
fn form(app: &App, name: &str, problem: &str) -> Response {
    let main = html! {
        form.sign-in method="post" {
            h2 { "Sign in" }
            @if app.access.has_users() {
                label for="name" { "Name" }
                input #name name="name" value=(name) autocomplete="username" autocapitalize="none" spellcheck="false"
                    required autofocus;
                label for="password" { "Password" }
            } @else {
                p { "Enter the access token that the server was started with." }
                label for="password" { "Token" }
            }
            input #password name="password" type="password" autocomplete="current-password" required;
            p.problem role="alert" { (problem) }
            button.button.primary type="submit" { "Sign in" }
        }
    };
    page("Activity log", html! {}, main)
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Query(next): Query<Next>,
    headers: HeaderMap,
    Form(Credentials { name, password }): Form<Credentials>,
) -> Result<Response, ApiError> {
    if app.access.is_open() {
        return Ok(Redirect::to(next.path()).into_response());
    }
    let attempt = match app.attempts.begin(&name, client.ip()) {
        Ok(attempt) => attempt,
        Err(wait) => return Ok(slowed(&app, &name, wait)),
    };
    let Some(signed_in) = app.check(&name, password).await? else {
        app.attempts.failed();
        let tried = name.chars().take(MAX_RECORDED).collect::<String>();
        let entry = NewActivityLogEntry::here(ActivityCategory::Auth, "user.sign_in_failed", "A sign-in failed");
        app.record(entry.severity(ActivitySeverity::Warning).metadata_value("name", tried)).await;
        let problem =
            if app.access.has_users() { "The name or the password is wrong." } else { "That is not the token." };
        return Ok((StatusCode::UNAUTHORIZED, form(&app, &name, problem)).into_response());
    };
    app.attempts.succeeded(attempt);
    app.sessions.end(&headers);
    app.record(about(&signed_in.who, "user.signed_in", "signed in")).await;
    let cookie = app.sessions.begin(signed_in);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next.path())).into_response())
}

fn slowed(app: &App, name: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let problem = format!("Too many attempts have failed. Try again in {seconds} seconds.");
    let headers = [(header::RETRY_AFTER, seconds.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, headers, form(app, name, &problem)).into_response()
}

pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(who): Extension<Identity>,
    headers: HeaderMap,
) -> Response {
    let cookie = app.sessions.end(&headers);
    app.record(about(&who, "user.signed_out", "signed out")).await;
    ([(header::SET_COOKIE, cookie)], Redirect::to(PATH)).into_response()
}

impl App {
    async fn check(&self, name: &str, password: String) -> Result<Option<SignedIn>, ApiError> {
        if name.is_empty() {
            let is_right = self.access.is_token(&password);
            return Ok(is_right.then_some(SignedIn { who: Identity::Trusted, password_hash: None }));
        }
        let name = name.to_owned();
        let password_hash = match is_name(&name) {
            true => {
                self.database
                    .run({
                        let name = name.clone();
                        move |conn| conn.password_hash(&name)
                    })
                    .await?
            }
            false => None,
        };
        let is_right = self.passwords.check(password, password_hash.clone()).await?;
        Ok(is_right.then_some(SignedIn { who: Identity::User(name), password_hash }))
    }

    /// Records an entry, and waits a moment for the database.
    async fn record(&self, entry: NewActivityLogEntry) {
        // The recorder keeps the entry, and reports what it cannot write.
        _ = timeout(RECORDED_WITHIN, self.recorder.record(entry)).await;
    }
}

/// An entry about what somebody did with their session.
fn about(who: &Identity, action: &str, did: &str) -> NewActivityLogEntry {
    let actor = who.name();
    let entry = NewActivityLogEntry::here(ActivityCategory::Auth, action, format!("{actor} {did}"));
    NewActivityLogEntry { actor: actor.to_owned(), ..entry }
}
