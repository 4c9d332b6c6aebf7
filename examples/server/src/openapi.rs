//! The description of the routes at `/openapi.json`.

use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Description, Ref, RefOr, Response};

use crate::access::COOKIE;
use crate::error::{ApiError, ErrorBody};
use crate::schemas::Severity;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "activity-log",
        description = "Who did what, to which entity, when.\n\n\
            Errors have the form `{\"error\": {\"message\": …}}`. A path that is not described here answers 404, and a \
            method that is not described here answers 405.",
    ),
    components(schemas(ErrorBody, ApiError, Severity)),
    security(("token" = []), ("cookie" = [])),
)]
pub(crate) struct Api;

/// The error responses of every operation, in addition to those in its own description.
const COMMON: [(&str, &str); 6] = [
    ("400", "A parameter, the body or the header Host is wrong; the error names it"),
    ("401", "The token is missing or wrong"),
    (
        "403",
        "The request comes from another site or, on a server without a token, names a host other than this machine",
    ),
    ("414", "The query string exceeds 32 KiB"),
    ("500", "The server failed"),
    ("503", "The database is busy, or its file was replaced or removed, or too many exports or streams are running"),
];

/// The description as JSON, with the parts that all operations share.
pub(crate) fn json(mut description: Description) -> Result<String, serde_json::Error> {
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    for path in description.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            add_common_responses(operation);
        }
    }
    description.to_json()
}

fn add_common_responses(operation: &mut Operation) {
    for (status, text) in COMMON {
        let mut response = Response::new(text);
        let schema = RefOr::Ref(Ref::from_schema_name("ErrorBody"));
        response.content.insert("application/json".to_owned(), Content::new(Some(schema)));
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}
