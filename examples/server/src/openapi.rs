//! The description of the routes that the router has.

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
            An error says `{\"error\": {\"message\": …}}`. Any path that is not described answers 404, and any method that \
            is not, 405.",
    ),
    components(schemas(ErrorBody, ApiError, Severity)),
    security(("token" = []), ("cookie" = [])),
)]
pub(crate) struct Api;

/// What can go wrong with any request, beside what its own description says.
const COMMON: [(&str, &str); 6] = [
    ("400", "A parameter or the body is wrong; the error names it"),
    ("401", "The token is missing or wrong"),
    ("403", "The request comes from a page elsewhere or, on a server without a token, under a name that is not local"),
    ("414", "The parameters have more than 32 KiB"),
    ("500", "The server failed"),
    ("503", "The database is busy, try again; as many as can already export, or follow"),
];

/// The description as JSON, with what is common to all operations.
pub(crate) fn json(mut description: Description) -> Result<String, serde_json::Error> {
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    for path in description.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.delete];
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
