//! What an operator wants to know about the log.

use activity_log::RetentionRun;
use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::app::App;
use crate::database::log::{Log, Size};
use crate::error::ApiError;
use crate::health::Health;
use crate::query::no_parameters;
use crate::retention::RetentionSettings;

/// The state of the log, and of what keeps it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    /// How much room the log takes on the disk. Where the database is a file, it is the size of the file.
    bytes: u64,
    /// About how many entries there are.
    entries: u64,
    /// Whether there is an index for texts in messages.
    search: bool,
    /// The `seq` of each row that requests came upon since the start and that cannot be read; at most 100.
    unreadable: Vec<i64>,
    /// `null` on a server without a recorder.
    #[schema(required)]
    recorder: Option<Health>,
    /// `null` on a server that does not say how long it keeps entries.
    #[schema(required)]
    retention: Option<RetentionStatus>,
    /// How many attempts to sign in were refused since the start; `null` on a server that does not say so.
    #[schema(required)]
    sign_ins_refused: Option<u64>,
}

/// How long entries are kept, and what was deleted the last time.
#[derive(Serialize, ToSchema)]
pub(crate) struct RetentionStatus {
    settings: RetentionSettings,
    /// When it ended, and how many entries each rule deleted; `null` before the first.
    #[schema(required, value_type = Option<Object>)]
    last_run: Option<RetentionRun>,
}

/// Tell the size of the log, how long it is kept, and how recording is doing.
#[utoipa::path(
    get, path = "/api/v1/activity-log/status", tag = "server",
    responses((
        status = 200, description = "The status", body = Status,
        example = json!({
            "bytes": 4_096_000, "entries": 10_000, "search": true, "unreadable": [], "recorder": null,
            "retention": null, "sign_ins_refused": null,
        }),
    )),
)]
pub(crate) async fn status(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Status>, ApiError> {
    no_parameters(query.as_deref())?;
    let permit = app.permits.count().await;
    let size = move |log: &mut dyn Log| {
        let _permit = permit;
        log.size()
    };
    let Size { bytes, entries, has_search } = app.database.read(size).await?;
    let retention = match app.retention.clone() {
        Some(retention) => {
            let status =
                move || Ok(RetentionStatus { settings: retention.settings()?, last_run: retention.last_run() });
            Some(spawn_blocking(status).await.map_err(ApiError::from).flatten()?)
        }
        None => None,
    };
    Ok(Json(Status {
        bytes,
        entries,
        search: has_search,
        unreadable: app.unreadable.seqs(),
        recorder: app.recording.health().map(Health::from),
        retention,
        sign_ins_refused: app.sign_ins_refused.as_ref().map(|refused| refused()),
    }))
}
