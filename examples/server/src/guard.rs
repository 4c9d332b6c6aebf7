//! Lets in users who have signed in, clients that know the token and, on a server that has neither users nor a token,
//! everybody on this machine.

use activity_log_axum::{ApiError, is_page_file, names_this_machine};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;
use crate::identity::Identity;
use crate::sign_in;

impl App {
    /// Who makes a request with these headers; `None` if they have to sign in.
    async fn identify(&self, headers: &HeaderMap) -> Result<Option<Identity>, ApiError> {
        if self.access.is_open() || bearer(headers).is_some_and(|token| self.access.is_token(token)) {
            return Ok(Some(Identity::Trusted));
        }
        let Some(signed_in) = self.sessions.find(headers) else { return Ok(None) };
        if let Identity::User(name) = signed_in.who.clone()
            && self.database.run(move |conn| conn.password_hash(&name)).await? != signed_in.password_hash
        {
            self.sessions.end(headers);
            return Ok(None);
        }
        Ok(Some(signed_in.who))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Requests for which nobody has to sign in. A style sheet holds no entries, and the page to sign in uses it.
fn is_public(method: &Method, path: &str) -> bool {
    let reads = *method == Method::GET || *method == Method::HEAD;
    match path {
        sign_in::PATH => reads || *method == Method::POST,
        "/healthz" => reads,
        path => reads && path.ends_with(".css") && is_page_file(path),
    }
}

/// Tells the handlers who makes a request, and refuses those who have to sign in. A browser is led to where one does.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if app.access.is_open() && !names_this_machine(&request) {
        let message =
            "without a token, the server answers only requests whose header Host is localhost, 127.0.0.1 or [::1]";
        return ApiError::new(StatusCode::FORBIDDEN, message).and_close().into_response();
    }
    if is_public(request.method(), request.uri().path()) {
        return next.run(request).await;
    }
    match app.identify(request.headers()).await {
        Ok(Some(who)) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Ok(None) if is_for_people(&request) => {
            Redirect::to(&sign_in::url(request.uri().path_and_query().map_or("/", |path| path.as_str())))
                .into_response()
        }
        Ok(None) => {
            let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
            let error = ApiError::new(StatusCode::UNAUTHORIZED, "sign in first, or send the server's token as Bearer");
            // The next request would come on a connection that ends because a body is not read.
            let error = if request.method().is_safe() { error } else { error.and_close() };
            (challenge, error).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// Whether a browser would show the answer as a page.
fn is_for_people(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    request.method().is_safe() && accept.contains("text/html")
}
