//! Lets in users who have signed in, clients that know the token and, on a server that has neither users nor a token,
//! everybody on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::StreamExt;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::actor::Actor;
use crate::error::ApiError;
use crate::host::names_this_machine;
use crate::sign_in::identity::Identity;
use crate::sign_in::{SignIn, form};

/// How often a stream looks whether its client is still signed in.
const LOOKS_AGAIN: Duration = Duration::from_secs(10);

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
            Self::SIGN_IN_PATH => reads || *method == Method::POST,
            Self::STYLE => reads,
            path => reads && self.public_paths.iter().any(|public| public == path),
        }
    }

    /// Who makes a request; `None` where nobody has to sign in for it, and nobody has.
    async fn admit(self: &Arc<Self>, request: &mut Request) -> Result<Option<Identity>, Response> {
        let is_public = self.is_public(request.method(), request.uri().path());
        let comes_from_here = comes_from_this_machine(request);
        // What is public needs no look at the users, unless that matters.
        let is_open = match is_public && comes_from_here {
            true => self.may_be_open() && !self.first_user.is_known(),
            false => self.is_open_now().await.map_err(IntoResponse::into_response)?,
        };
        if is_open && !comes_from_here {
            let message = "with neither users nor a token, the server answers only requests from this machine whose \
                           header Host is localhost, 127.0.0.1 or [::1]";
            return Err(ApiError::new(StatusCode::FORBIDDEN, message).and_close().into_response());
        }
        if is_open {
            return Ok(Some(Identity::Trusted));
        }
        match self.identify(request.headers()).await {
            Ok(None) if !is_public => Err(self.sign_in_first(request)),
            // What is public is so whatever happens to the users.
            Err(_) if is_public => Ok(None),
            who => {
                self.sessions.prolong(request.headers());
                who.map_err(IntoResponse::into_response)
            }
        }
    }

    fn sign_in_first(&self, request: &Request) -> Response {
        if is_for_people(request) {
            let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
            return Redirect::to(&form::url(here)).into_response();
        }
        let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
        let message = match self.token {
            Some(_) => "sign in first, or send the server's token as Bearer",
            None => "sign in first",
        };
        let error = ApiError::new(StatusCode::UNAUTHORIZED, message);
        // The next request would come on a connection that ends because a body is not read.
        let error = if request.method().is_safe() { error } else { error.and_close() };
        (challenge, error).into_response()
    }

    /// Resolves once these headers no longer identify who they did. To look is no use of the session.
    async fn signed_out(self: Arc<Self>, headers: HeaderMap, who: Identity) {
        loop {
            sleep(LOOKS_AGAIN).await;
            let now = match self.is_open_now().await {
                Ok(true) => Ok(Some(Identity::Trusted)),
                Ok(false) => self.identify(&headers).await,
                Err(error) => Err(error),
            };
            // Where nobody can tell, the stream goes on until somebody can.
            if now.is_ok_and(|now| now.as_ref() != Some(&who)) {
                return;
            }
        }
    }
}

/// Whether a request comes from this machine, as far as can be told, and calls the server by a name of it.
fn comes_from_this_machine(request: &Request) -> bool {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_near = client.is_none_or(|ConnectInfo(client)| client.ip().to_canonical().is_loopback());
    is_near && names_this_machine(request)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The headers by which a client is identified.
fn credentials(headers: &HeaderMap) -> HeaderMap {
    let names = [header::AUTHORIZATION, header::COOKIE];
    let all = names.iter().flat_map(|name| headers.get_all(name).into_iter().map(move |value| (name, value)));
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Tells the handlers who makes a request, and refuses those who have to sign in. A browser is led to where one does.
pub(crate) async fn guard(State(sign_in): State<Arc<SignIn>>, mut request: Request, next: Next) -> Response {
    let who = match sign_in.admit(&mut request).await {
        Ok(Some(who)) => who,
        Ok(None) => return next.run(request).await,
        Err(refused) => return refused,
    };
    request.extensions_mut().insert(Actor::from(&who));
    request.extensions_mut().insert(who.clone());
    let credentials = credentials(request.headers());
    let response = next.run(request).await;
    if !is_stream(&response) {
        return response;
    }
    response.map(|body| {
        Body::from_stream(body.into_data_stream().take_until(Box::pin(sign_in.signed_out(credentials, who))))
    })
}

/// Whether a response goes on for as long as its client follows it.
fn is_stream(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type.is_some_and(|content_type| content_type.as_bytes().starts_with(b"text/event-stream"))
}

/// Whether a browser would show the answer as a page.
fn is_for_people(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    request.method().is_safe() && accept.contains("text/html")
}
