//! What the server answers.

use activity_log::Error::InvalidEntry;
use activity_log::{ActivityCategory, ActivityLogPage, ActivityLogRepository, ActivitySeverity, NewActivityLogEntry};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::body::{self, BodyFormat, Posted};
use crate::database::{Database, DatabaseError};
use crate::error::ApiError;
use crate::query::{ClearQuery, ListQuery};

pub(crate) fn router(database: Database) -> Router {
    Router::new()
        .route("/api/v1/activity-log", get(list).post(record).delete(clear))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is nothing here: see /api/v1/activity-log"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "the log takes GET, POST and DELETE")
        })
        .with_state(database)
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    page: ActivityLogPage,
    has_more: bool,
}

async fn list(State(database): State<Database>, RawQuery(query): RawQuery) -> Result<Json<Listed>, ApiError> {
    let ListQuery { filters, before_seq, limit } = ListQuery::parse(query.as_deref())?;
    let page = database.run(move |conn| ActivityLogRepository::new(conn).page(&filters, before_seq, limit)).await?;
    let has_more = page.next_before_seq.is_some();
    Ok(Json(Listed { page, has_more }))
}

#[derive(Serialize)]
struct Recorded {
    recorded: usize,
    /// In the order of the body.
    ids: Vec<String>,
}

async fn record(
    State(database): State<Database>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Recorded>), ApiError> {
    let body = body::receive(body).await?;
    let format = BodyFormat::of(&headers)?;
    // Megabytes of JSON take their time too.
    let Posted { entries, lines } = spawn_blocking(move || Posted::read(format, &body)).await??;
    let ids = entries.iter().map(|entry| entry.id.clone()).collect();
    let outcome = database.run(move |conn| ActivityLogRepository::new(conn).record_all(&entries)).await;
    let recorded = outcome.map_err(|error| match error {
        DatabaseError::Log(InvalidEntry { index, field, reason }) => {
            ApiError::field(field, reason).at_line(lines.get(index).copied())
        }
        other => other.into(),
    })?;
    Ok((StatusCode::CREATED, Json(Recorded { recorded, ids })))
}

#[derive(Serialize)]
struct Cleared {
    deleted: u64,
}

async fn clear(State(database): State<Database>, RawQuery(query): RawQuery) -> Result<Json<Cleared>, ApiError> {
    let ClearQuery { actor } = ClearQuery::parse(query.as_deref())?;
    let clear = move |conn: &mut _| {
        let mut log = ActivityLogRepository::new(conn);
        let deleted = log.clear()?;
        let message = format!("{actor} cleared the activity log of {deleted} entries");
        let entry = NewActivityLogEntry::new(ActivityCategory::System, "activity_log_cleared", actor, message)
            .severity(ActivitySeverity::Warning)
            .metadata_value("deleted", deleted);
        log.record(&entry)?;
        Ok(deleted)
    };
    // One transaction, so that nobody ever finds the log empty without a word about it.
    let deleted = database.run(|conn| conn.immediate_transaction(clear)).await?;
    Ok(Json(Cleared { deleted }))
}
