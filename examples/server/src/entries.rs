//! Lists, records and clears entries.

use activity_log::Error::{DuplicateId, InvalidEntry};
use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivityLogRepository, ActivitySeverity, ActorContext, NewActivityLogEntry,
};
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use diesel::SqliteConnection;
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::app::App;
use crate::body::{self, BodyFormat, Posted};
use crate::error::{ApiError, ErrorBody};
use crate::filters::FilterParameters;
use crate::query::{ActorQuery, ListQuery};
use crate::readable::{self, Page};
use crate::recording::RecordError;
use crate::schemas::{Entry, PostedEntry, entry_example, posted_example};

const MAX_BYTES: usize = 16 << 20;

/// A larger body is parsed on a thread of its own, because it would hold up the other requests of this one.
const MAX_INLINE_BYTES: usize = 16 << 10;

/// A page of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    /// Newest first.
    #[schema(value_type = Vec<Entry>)]
    entries: Vec<ActivityLogEntry>,
    /// The `before_seq` of the next page, which is older; `null` on the oldest page.
    #[schema(required)]
    next_before_seq: Option<i64>,
    /// The `after_seq` of the previous page, which is newer; `null` on the newest page.
    #[schema(required)]
    prev_after_seq: Option<i64>,
    /// Whether there is a next page.
    has_more: bool,
    /// The `seq` of each row of this page that is stored but cannot be read, newest first. It counts as an entry of the page.
    unreadable: Vec<i64>,
}

/// List entries, newest first, page by page.
#[utoipa::path(
    get, path = "/api/v1/activity-log", tag = "log",
    params(
        FilterParameters,
        ("before_seq" = Option<i64>, Query, description = "Only older entries; a page's `next_before_seq` leads to the next"),
        (
            "after_seq" = Option<i64>, Query,
            description = "The page just newer than this entry; a page's `prev_after_seq` leads to the previous page",
        ),
        ("limit" = Option<u32>, Query, description = "How many entries; 50 by default", minimum = 1, maximum = 200),
    ),
    responses((
        status = 200, description = "A page", body = Listed,
        example = json!({
            "entries": [entry_example()], "next_before_seq": null, "prev_after_seq": 7, "has_more": false,
            "unreadable": [],
        }),
    )),
)]
pub(crate) async fn list(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let ListQuery { filters, cursor, limit } = ListQuery::parse(query.as_deref())?;
    let read = move |conn: &mut _| {
        let page = readable::page(&mut ActivityLogRepository::new(conn), &filters, cursor, limit)?;
        let Page { entries, unreadable, next_before_seq, prev_after_seq } = page;
        let has_more = next_before_seq.is_some();
        // Written as JSON here, and not on a thread that other requests wait for.
        Ok(Json(Listed { entries, next_before_seq, prev_after_seq, has_more, unreadable }).into_response())
    };
    Ok(app.database.read(read).await?)
}

/// What was recorded.
#[derive(Serialize, ToSchema)]
pub(crate) struct Recorded {
    /// The number of entries recorded.
    recorded: usize,
    /// The ids of the entries, in the order of the body.
    ids: Vec<String>,
    /// Their positions in the log, in the same order.
    seqs: Vec<i64>,
}

/// Record one or more entries, all or nothing. The answer comes when they are committed.
///
/// Without an answer, or after a 503 that says so, the entries may be recorded all the same. Entries that bring their own
/// `id` can be sent again: the log never holds an `id` twice, and a 409 says that they are there.
#[utoipa::path(
    post, path = "/api/v1/activity-log", tag = "log",
    request_body(
        description = "One entry as JSON, or one entry per line as NDJSON; at most 16 MiB",
        content(
            (PostedEntry = "application/json", example = json!(posted_example())),
            (String = "application/x-ndjson", example = json!(format!("{}\n", posted_example()))),
        ),
    ),
    responses(
        (
            status = 201, description = "The entries are recorded", body = Recorded,
            example = json!({"recorded": 1, "ids": ["al_019c0f3ad2f87c21a7a5e9d1f6b3c404"], "seqs": [7]}),
        ),
        (status = 409, description = "The log already holds an entry with the `id` of one of these", body = ErrorBody),
        (status = 413, description = "The body exceeds 16 MiB", body = ErrorBody),
        (status = 415, description = "The content type is neither of the two above", body = ErrorBody),
        (status = 507, description = "The disk is full", body = ErrorBody),
    ),
)]
pub(crate) async fn record(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Recorded>), ApiError> {
    let body = body::receive(&headers, body, MAX_BYTES).await?;
    let format = BodyFormat::of(&headers)?;
    let Posted { entries, lines } = if body.len() > MAX_INLINE_BYTES {
        spawn_blocking(move || Posted::read(format, &body)).await??
    } else {
        Posted::read(format, &body)?
    };
    let ids = entries.iter().map(|entry| entry.id.clone()).collect();
    let seqs = app.recording.record_all(entries).await.map_err(|error| match error {
        RecordError::Log(InvalidEntry { index, field, reason }) => {
            ApiError::field(field, reason).at_line(lines.get(index).copied())
        }
        RecordError::Log(DuplicateId { index }) => ApiError::duplicate_id().at_line(lines.get(index).copied()),
        other => other.into(),
    })?;
    Ok((StatusCode::CREATED, Json(Recorded { recorded: seqs.len(), ids, seqs })))
}

/// What was cleared.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cleared {
    /// The number of entries deleted.
    deleted: u64,
}

/// Delete every entry, and record one that says who cleared the log.
#[utoipa::path(
    delete, path = "/api/v1/activity-log", tag = "log",
    params(("actor" = String, Query, description = "Who clears the log", min_length = 1, max_length = 1000)),
    responses(
        (status = 200, description = "The log is cleared", body = Cleared, example = json!({"deleted": 42})),
        (status = 507, description = "The disk is full", body = ErrorBody),
    ),
)]
pub(crate) async fn clear(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Cleared>, ApiError> {
    let ActorQuery { actor } = ActorQuery::parse(query.as_deref())?;
    let context = ActorContext::current().unwrap_or_default();
    let clear = move |conn: &mut _| {
        let mut log = ActivityLogRepository::new(conn);
        let deleted = log.clear()?;
        let message = format!("{actor} cleared the activity log of {deleted} entries");
        let entry = NewActivityLogEntry::here(ActivityCategory::System, "activity_log_cleared", message)
            .severity(ActivitySeverity::Warning)
            .metadata_value("deleted", deleted);
        log.record(&NewActivityLogEntry { actor, ..entry })?;
        Ok(deleted)
    };
    // One transaction, so that a reader never finds the log empty without the entry that says why.
    let clear = |conn: &mut SqliteConnection| context.scope(|| conn.immediate_transaction(clear));
    let deleted = app.database.write(clear).await?;
    app.live.announce();
    Ok(Json(Cleared { deleted }))
}
