//! One entry, such as for a link to it.

use activity_log::Error::UnreadableRow;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;

use crate::app::App;
use crate::database::DatabaseError;
use crate::error::ApiError;
use crate::links::LinkedEntry;
use crate::parameters::in_path;
use crate::query::no_parameters;
use crate::schemas::{Entry, entry_example};

/// Find one entry by its `id`.
#[utoipa::path(
    get, path = "/api/v1/activity-log/{id}", tag = "log",
    params(("id" = String, Path, description = "The `id` of the entry", min_length = 1)),
    responses(
        (status = 200, description = "The entry", body = Entry, example = json!(entry_example())),
        (status = 404, description = "The log holds no entry with this `id`"),
    ),
)]
pub(crate) async fn entry(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<LinkedEntry>, ApiError> {
    let id = in_path("id", id)?;
    no_parameters(query.as_deref())?;
    let found = app.database.read(move |log| log.get(&id)).await;
    let found = found.map_err(|error| match error {
        DatabaseError::Log(UnreadableRow { .. }) => {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "the entry with this `id` cannot be read")
        }
        other => other.into(),
    })?;
    found
        .map(|entry| Json(app.links.add_to(entry)))
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "the log holds no entry with this `id`"))
}
