//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::app::App;
use crate::error::ApiError;
use crate::viewer_json::Settings;
use crate::{
    compression, count, entries, entry, export, facets, headers, health, histogram, openapi, origin, page, record,
    retention_settings, status, stream, viewer_json,
};

/// The routes that the viewer has, with their description. Both are built from the same list.
pub(crate) fn router(app: App, settings: Settings, describe: impl FnOnce(&mut Description)) -> Router {
    let routes = app.routes;
    let mut described = OpenApiRouter::with_openapi(openapi::Api::openapi())
        .routes(routes!(entries::list))
        .routes(routes!(entry::entry))
        .routes(routes!(count::count))
        .routes(routes!(histogram::histogram))
        .routes(routes!(facets::facets))
        .routes(routes!(stream::stream))
        .routes(routes!(health::health));
    if routes.has_status {
        described = described.routes(routes!(status::status));
    }
    if routes.has_export {
        described = described.routes(routes!(export::export));
    }
    if routes.has_record {
        described = described.routes(routes!(record::record));
    }
    if routes.has_clear {
        described = described.routes(routes!(entries::clear));
    }
    if app.retention.is_some() {
        described = described.routes(routes!(retention_settings::settings));
        if routes.has_retention {
            described = described.routes(routes!(retention_settings::change));
        }
    }
    let (router, mut description) = described.split_for_parts();
    describe(&mut description);
    openapi::complete(&mut description);
    let (description, settings) = (Arc::new(description), Arc::new(settings));

    let serve_settings = async move |state: State<App>, actor: Actor| viewer_json::serve(&settings, state, actor).await;
    router
        .route(openapi::PATH, get(async move |uri: OriginalUri| openapi::serve(description, uri).await))
        .route(viewer_json::PATH, get(serve_settings))
        .merge(page::router())
        .fallback(fallback)
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support the method; see the header Allow")
        })
        .with_state(app)
        .layer(ServiceBuilder::new().layer(from_fn(headers::strict_headers)).layer(from_fn(origin::refuse_other_sites)))
        .layer(compression::layer())
        .layer(map_response(compression::weaken_tag))
}

/// A nested router has its own path without the slash among its routes, and the one with the slash comes here.
async fn fallback(method: Method, path: Uri, uri: OriginalUri, request: HeaderMap) -> Response {
    let is_page = matches!(path.path(), "" | "/");
    match method {
        Method::GET | Method::HEAD if is_page => page::index(uri, request).await,
        _ if is_page => {
            let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "the page does not support the method");
            ([(header::ALLOW, "GET,HEAD")], error).into_response()
        }
        _ => ApiError::new(StatusCode::NOT_FOUND, "there is no such path; see openapi.json").into_response(),
    }
}
