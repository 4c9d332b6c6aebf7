//! The filters of a request, shared by every route that reads the log.

use activity_log::{ActivityCategory, ActivityLogFilters, ActivitySeverity};
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::parameters::Parameters;
use crate::time::rfc3339_in_query;

const FILTERS: [&str; 8] = ["categories", "severities", "actor", "entity_type", "entity_id", "since", "until", "q"];

/// The description of the filters; [`filters`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only their description is used")]
pub(crate) struct FilterParameters {
    /// One or more, separated by commas: `auth`, `device`, `entity`, `capture`, `system`, or the host's own.
    #[param(example = "auth,device", max_length = 1000)]
    categories: Option<String>,
    /// One or more, separated by commas: `info`, `warning`, `error`.
    #[param(
        example = "warning,error",
        max_length = 1000,
        pattern = "^((info|warning|error)(,(info|warning|error))*)?$"
    )]
    severities: Option<String>,
    /// The exact actor.
    #[param(max_length = 1000)]
    actor: Option<String>,
    /// The exact entity type.
    #[param(max_length = 1000)]
    entity_type: Option<String>,
    /// The exact entity id.
    #[param(max_length = 1000)]
    entity_id: Option<String>,
    /// The earliest time, inclusive, in RFC 3339.
    #[param(example = "2026-01-31T00:00:00Z", format = DateTime)]
    since: Option<String>,
    /// The latest time, inclusive, in RFC 3339.
    #[param(example = "2026-01-31T23:59:59Z", format = DateTime)]
    until: Option<String>,
    /// Literal text that the message contains; ASCII letters match in either case.
    #[param(max_length = 1000)]
    q: Option<String>,
}

/// The names of the filters and of `more` parameters.
pub(crate) fn filters_and(more: &[&'static str]) -> Vec<&'static str> {
    [&FILTERS, more].concat()
}

/// Reads the filters, all of which are optional.
pub(crate) fn filters(parameters: &Parameters) -> Result<ActivityLogFilters, ApiError> {
    Ok(ActivityLogFilters {
        categories: parameters.list("categories", |name| Ok(ActivityCategory::from(name)))?,
        severities: parameters.list("severities", severity)?,
        actor: parameters.text("actor"),
        entity_type: parameters.text("entity_type"),
        entity_id: parameters.text("entity_id"),
        since: parameters.value("since", rfc3339_in_query)?,
        until: parameters.value("until", rfc3339_in_query)?,
        message_contains: parameters.text("q"),
        ..ActivityLogFilters::default()
    })
}

/// The filters as the client wrote them, by name.
pub(crate) fn given_filters(parameters: &Parameters) -> serde_json::Map<String, serde_json::Value> {
    FILTERS.iter().filter_map(|name| Some(((*name).to_owned(), parameters.text(name)?.into()))).collect()
}

fn severity(name: &str) -> Result<ActivitySeverity, String> {
    name.parse().map_err(|error| format!("contains `{name}`, which {error}"))
}
