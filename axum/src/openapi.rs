//! The description of the routes at `/openapi.json`.

use std::sync::Arc;

use axum::Json;
use axum::extract::OriginalUri;
use axum::response::IntoResponse;
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, OpenApi as Description, Ref, RefOr, Response, Server};

use crate::error::{ApiError, ErrorBody};
use crate::schemas::Severity;

pub(crate) const PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "activity-log",
        description = "Who did what, to which entity, when.\n\n\
            Errors have the form `{\"error\": {\"message\": …}}`. A path that is not described here answers 404, and a \
            method that is not described here answers 405.",
    ),
    components(schemas(ErrorBody, ApiError, Severity))
)]
pub(crate) struct Api;

/// The error responses of every operation, in addition to those in its own description.
const COMMON: [(&str, &str); 6] = [
    ("400", "A parameter, a header or the body is wrong; the error names it"),
    ("401", "The server does not know who sends the request"),
    ("403", "The request comes from another site, or its sender may not make it"),
    ("414", "The query string exceeds 32 KiB"),
    ("500", "The server failed"),
    ("503", "The database is busy, or its file was replaced or removed, or too many exports or streams are running"),
];

/// Adds what all operations share.
pub(crate) fn complete(description: &mut Description) {
    for path in description.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            add_common_responses(operation);
        }
    }
}

/// Serves the description, which says under which path the routes are.
pub(crate) async fn serve(description: Arc<Description>, OriginalUri(uri): OriginalUri) -> impl IntoResponse {
    let mut description = Description::clone(&description);
    if let Some(prefix) = uri.path().strip_suffix(PATH).filter(|prefix| !prefix.is_empty()) {
        description.servers = Some(vec![Server::new(prefix)]);
    }
    Json(description)
}

fn add_common_responses(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, text) in COMMON {
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(text)));
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            let schema = RefOr::Ref(Ref::from_schema_name("ErrorBody"));
            response.content.insert("application/json".to_owned(), Content::new(Some(schema)));
        }
    }
}
