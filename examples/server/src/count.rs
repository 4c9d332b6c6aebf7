//! How many entries there are.

use activity_log::ActivityLogRepository;
use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::filters::FilterParameters;
use crate::query::count_query;

/// Where counting stops: a page says "10,000+", and nobody waits for a million.
const MOST: u64 = 10_000;

/// How many there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Counted {
    /// At most 10,000.
    #[schema(maximum = 10_000)]
    count: u64,
    /// Whether there are more than that.
    more: bool,
}

/// Count the entries that pass the filters, up to 10,000.
#[utoipa::path(
    get, path = "/api/v1/activity-log/count", tag = "log", params(FilterParameters),
    responses((status = 200, description = "The count", body = Counted, example = json!({"count": 42, "more": false}))),
)]
pub(crate) async fn count(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Counted>, ApiError> {
    let filters = count_query(query.as_deref())?;
    let permit = app.count_permit().await;
    let counting = move |conn: &mut _| {
        let _permit = permit;
        ActivityLogRepository::new(conn).count_up_to(&filters, MOST + 1)
    };
    let found = app.database.run(counting).await?;
    Ok(Json(Counted { count: found.min(MOST), more: found > MOST }))
}
