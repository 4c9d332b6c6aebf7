//! Lists the values of a field, for menus.

use activity_log::Facets;
use axum::Json;
use axum::extract::{RawQuery, State};

use crate::app::App;
use crate::database::log::Log;
use crate::error::ApiError;
use crate::filters::FilterParameters;
use crate::query::FacetsQuery;
use crate::schemas;

/// List the most frequent values of a field among the entries that match the filters.
///
/// Filters by the same field apply as well, so leave them out to list what else could be chosen.
#[utoipa::path(
    get, path = "/api/v1/activity-log/facets", tag = "log",
    params(
        (
            "by" = String, Query, description = "`category`, `severity`, `action`, `actor` or `entity_type`",
            pattern = "^(category|severity|action|actor|entity_type)$", example = "actor",
        ),
        ("limit" = Option<u32>, Query, description = "How many values; 50 by default", minimum = 1, maximum = 200),
        FilterParameters,
    ),
    responses((
        status = 200, description = "The values", body = schemas::Facets,
        example = json!({"values": [{"value": "alice", "entries": 42}, {"value": "bob", "entries": 7}], "more": false}),
    )),
)]
pub(crate) async fn facets(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Facets>, ApiError> {
    let FacetsQuery { filters, by, limit } = FacetsQuery::parse(query.as_deref())?;
    let permit = app.permits.count().await;
    let read = move |log: &mut dyn Log| {
        let _permit = permit;
        log.facets(&filters, by, limit)
    };
    Ok(Json(app.database.read(read).await?))
}
