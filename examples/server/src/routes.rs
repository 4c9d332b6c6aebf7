//! The routes: the server's own, and at all other paths those of the viewer.

use std::time::Duration;

use activity_log::ActorContextLayer;
use activity_log_axum::{Viewer, refuse_other_sites, require_one_host};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use tower::ServiceBuilder;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::{Span, debug, debug_span};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::sessions::COOKIE;
use crate::{context, devices, devices_page, guard, sign_in};

/// How long a client may pause while it sends a body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

const MAX_FORM_BYTES: usize = 16 << 10;

#[derive(OpenApi)]
struct Own;

/// As the viewer's responses have them.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

pub(crate) fn router(app: App, viewer: Viewer) -> Router {
    let (own, description) = OpenApiRouter::with_openapi(Own::openapi())
        .routes(routes!(devices::list))
        .routes(routes!(devices::put, devices::remove))
        .split_for_parts();
    let viewer = viewer.describe(move |whole| describe(whole, description)).into_router();
    own.route(sign_in::PATH, get(sign_in::show).post(sign_in::sign_in))
        .route(sign_in::OUT, post(sign_in::sign_out))
        .route(devices_page::PATH, get(devices_page::show).post(devices_page::add))
        .route("/devices/{id}", post(devices_page::rename))
        .route("/devices/{id}/remove", post(devices_page::remove))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .with_state(app.clone())
        .fallback_service(viewer)
        .layer(
            // From the outermost to the innermost.
            ServiceBuilder::new()
                .layer(from_fn(require_one_host))
                .layer(from_fn(refuse_other_sites))
                .layer(from_fn_with_state(app, guard::guard))
                .layer(ActorContextLayer::new(context::of_request)),
        )
        .layer(
            ServiceBuilder::new()
                .layer(
                    TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(answered).on_failure(()),
                )
                .layer(map_response(set_headers))
                .layer(RequestBodyTimeoutLayer::new(BODY_PATIENCE)),
        )
}

async fn set_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Without the query, which may have what nobody else should read.
fn span(request: &Request) -> Span {
    debug_span!("request", method = %request.method(), path = request.uri().path())
}

fn answered(response: &Response, time: Duration, _: &Span) {
    debug!(status = response.status().as_u16(), ?time, "answered");
}

/// Adds the server's own routes, and how clients sign in.
fn describe(whole: &mut Description, own: Description) {
    whole.merge(own);
    let components = whole.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    let none = || <[&str; 0]>::default();
    whole.security = Some(vec![SecurityRequirement::new("token", none()), SecurityRequirement::new("cookie", none())]);
}
