//! The routes.

use std::sync::Arc;

use activity_log::ActorContextLayer;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ApiError;
use crate::{
    access, compression, context, count, devices, entries, entry, export, facets, headers, health, histogram, host,
    openapi, page, record, session, stream,
};

/// The routes and their description, built from the same list.
pub(crate) fn router(app: App) -> Result<Router, serde_json::Error> {
    let access = Arc::clone(&app.access);
    let (described, description) = OpenApiRouter::with_openapi(openapi::Api::openapi())
        .routes(routes!(entries::list, record::record, entries::clear))
        .routes(routes!(entry::entry))
        .routes(routes!(count::count))
        .routes(routes!(histogram::histogram))
        .routes(routes!(facets::facets))
        .routes(routes!(export::export))
        .routes(routes!(stream::stream))
        .routes(routes!(devices::list))
        .routes(routes!(devices::put, devices::remove))
        .routes(routes!(session::sign_in, session::sign_out))
        .routes(routes!(health::health))
        .with_state(app)
        .split_for_parts();
    let description = openapi::json(description)?;

    let router = described
        .route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], description)))
        .merge(page::router())
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is no such path; see /openapi.json"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support the method; see the header Allow")
        })
        .layer(ActorContextLayer::new(context::of_request))
        .layer(from_fn_with_state(access, access::guard))
        .layer(from_fn(host::require_one))
        .layer(from_fn(headers::set))
        .layer(compression::layer())
        .layer(map_response(compression::weaken_tag));
    Ok(router)
}
