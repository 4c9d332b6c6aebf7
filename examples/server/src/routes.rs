//! The routes: the server's own, and at all other paths those of the viewer.

use std::sync::Arc;

use activity_log::ActorContextLayer;
use activity_log_axum::Viewer;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{self, COOKIE};
use crate::app::App;
use crate::{context, devices, host, session};

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
    let access = Arc::clone(&app.access);
    let (own, description) = OpenApiRouter::with_openapi(Own::openapi())
        .routes(routes!(devices::list))
        .routes(routes!(devices::put, devices::remove))
        .routes(routes!(session::sign_in, session::sign_out))
        .with_state(app)
        .split_for_parts();
    let viewer = viewer.describe(move |whole| describe(whole, description)).into_router();
    own.fallback_service(viewer)
        .layer(ActorContextLayer::new(context::of_request))
        .layer(from_fn_with_state(access, access::guard))
        .layer(from_fn(host::require_one))
        .layer(map_response(set_headers))
}

async fn set_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
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
