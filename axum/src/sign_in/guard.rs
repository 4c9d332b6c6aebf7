//! Lets in users who have signed in, clients that know the token and, on a server that has neither users nor a token,
//! everybody on this machine.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tokio::task::spawn_blocking;

use crate::actor::Actor;
use crate::error::ApiError;
use crate::host::names_this_machine;
use crate::sign_in::identity::Identity;
use crate::sign_in::{SignIn, form};

impl SignIn {
    /// As [`is_open`](Self::is_open), without blocking.
    pub(crate) async fn is_open_now(self: &Arc<Self>) -> Result<bool, ApiError> {
        Ok(self.may_be_open() && !self.has_users().await?)
    }

    pub(crate) async fn has_users(self: &Arc<Self>) -> Result<bool, ApiError> {
        if let Some(is_there) = self.first_user.is_there_lately() {
            return Ok(is_there);
        }
        let sign_in = Arc::clone(self);
        spawn_blocking(move || sign_in.first_user.is_there(&*sign_in.users)).await?
    }

    /// Who makes a request with these headers; `None` if they have to sign in.
    async fn identify(&self, headers: &HeaderMap) -> Result<Option<Identity>, ApiError> {
        if let (Some(token), Some(sent)) = (&self.token, bearer(headers))
            && token.is(sent)
        {
            return Ok(Some(Identity::Trusted));
        }
        let Some(signed_in) = self.sessions.find(headers) else { return Ok(None) };
        if let Identity::User(name) = &signed_in.who
            && self.password_hash(name.clone()).await? != signed_in.password_hash
        {
            self.sessions.end(headers);
            return Ok(None);
        }
        Ok(Some(signed_in.who))
    }

    /// Whether nobody has to sign in for a request.
    fn is_public(&self, method: &Method, path: &str) -> bool {
        let reads = *method == Method::GET || *method == Method::HEAD;
        match path {
            Self::PATH => reads || *method == Method::POST,
            Self::STYLE => reads,
            path => reads && self.public_paths.iter().any(|public| public == path),
        }
    }

    async fn admit(self: &Arc<Self>, request: &mut Request) -> Result<(), Response> {
        let is_public = self.is_public(request.method(), request.uri().path());
        // Where somebody may have to sign in, what is public needs no look at the users.
        let is_open = match is_public {
            true => self.may_be_open() && !self.first_user.is_known(),
            false => self.is_open_now().await.map_err(IntoResponse::into_response)?,
        };
        if is_open && !names_this_machine(request) {
            let message =
                "without a token, the server answers only requests whose header Host is localhost, 127.0.0.1 or [::1]";
            return Err(ApiError::new(StatusCode::FORBIDDEN, message).and_close().into_response());
        }
        if is_public {
            return Ok(());
        }
        let who = match is_open {
            true => Some(Identity::Trusted),
            false => self.identify(request.headers()).await.map_err(IntoResponse::into_response)?,
        };
        let who = who.ok_or_else(|| sign_in_first(request))?;
        request.extensions_mut().insert(Actor::from(&who));
        request.extensions_mut().insert(who);
        Ok(())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Tells the handlers who makes a request, and refuses those who have to sign in. A browser is led to where one does.
pub(crate) async fn guard(State(sign_in): State<Arc<SignIn>>, mut request: Request, next: Next) -> Response {
    match sign_in.admit(&mut request).await {
        Ok(()) => next.run(request).await,
        Err(refused) => refused,
    }
}

fn sign_in_first(request: &Request) -> Response {
    if is_for_people(request) {
        let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::to(&form::url(here)).into_response();
    }
    let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
    let error = ApiError::new(StatusCode::UNAUTHORIZED, "sign in first, or send the server's token as Bearer");
    // The next request would come on a connection that ends because a body is not read.
    let error = if request.method().is_safe() { error } else { error.and_close() };
    (challenge, error).into_response()
}

/// Whether a browser would show the answer as a page.
fn is_for_people(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    request.method().is_safe() && accept.contains("text/html")
}
