//! The health check.

use activity_log::RecorderHealth;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::database::DatabaseError;
use crate::error::ApiError;

/// How recording is doing. The numbers are those of the server's recorder, and 0 without one.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `not recording` while nothing can be recorded, such as when another process keeps the database locked.
    #[schema(example = "ok")]
    status: &'static str,
    /// How many entries wait to be recorded.
    queued: usize,
    /// How many entries were recorded since the start.
    recorded: u64,
    /// How many entries were refused since the start, because something is wrong with them.
    at_fault: u64,
    /// Since when nothing could be recorded; `null` when recording works.
    #[schema(required)]
    failing_since: Option<DateTime<Utc>>,
    /// How many attempts to record have failed since then. The server's log says why.
    failed_attempts: u64,
}

impl From<RecorderHealth> for Health {
    fn from(recorder: RecorderHealth) -> Self {
        Self {
            status: if recorder.failure.is_none() { "ok" } else { "not recording" },
            queued: recorder.queued_entries,
            recorded: recorder.recorded,
            at_fault: recorder.at_fault,
            failing_since: recorder.failure.as_ref().map(|failure| failure.since),
            failed_attempts: recorder.failure.map_or(0, |failure| failure.attempts),
        }
    }
}

/// Check whether the server and its database respond, and whether entries are being recorded.
///
/// A server that cannot record at present answers 200 as well: it keeps what it was sent and tries again, and would
/// lose that in a restart.
#[utoipa::path(
    get, path = "/healthz", tag = "server", security(()),
    responses(
        (
            status = 200, description = "Both respond", body = Health,
            example = json!({
                "status": "ok", "queued": 0, "recorded": 42, "at_fault": 0, "failing_since": null, "failed_attempts": 0,
            }),
        ),
        (
            status = 503,
            description = "The database does not respond, or its file was replaced or removed",
        ),
    ),
)]
pub(crate) async fn health(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    // `SELECT 1` would be answered without reading the database.
    app.database.read(|log| log.get("").map(drop)).await.map_err(|error| match error {
        DatabaseError::File(lost) => lost.into(),
        error => {
            tracing::error!("the database does not respond: {error}");
            ApiError::unavailable("the database does not respond")
        }
    })?;
    Ok(Json(app.recording.health().unwrap_or_default().into()))
}
