//! Counts the entries.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::database::log::Log;
use crate::error::ApiError;
use crate::filters::FilterParameters;
use crate::query::count_query;

/// Counting stops here: the page shows "10,000+", and the reader need not wait for an exact million.
const MAX_COUNT: u64 = 10_000;

/// The number of matching entries.
#[derive(Serialize, ToSchema)]
pub(crate) struct Counted {
    /// At most 10,000.
    #[schema(maximum = 10_000)]
    count: u64,
    /// Whether there are more entries than `count`.
    more: bool,
}

/// Count the entries that match the filters, up to 10,000.
#[utoipa::path(
    get, path = "/api/v1/activity-log/count", tag = "log", params(FilterParameters),
    responses((status = 200, description = "The count", body = Counted, example = json!({"count": 42, "more": false}))),
)]
pub(crate) async fn count(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Counted>, ApiError> {
    let filters = count_query(query.as_deref())?;
    let permit = app.permits.count().await;
    let counting = move |log: &mut dyn Log| {
        let _permit = permit;
        log.count_up_to(&filters, MAX_COUNT + 1)
    };
    let found = app.database.read(counting).await?;
    Ok(Json(Counted { count: found.min(MAX_COUNT), more: found > MAX_COUNT }))
}
