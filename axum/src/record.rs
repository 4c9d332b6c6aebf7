//! Records the entries that clients send.

use activity_log::Error::{DuplicateId, InvalidEntry};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::app::App;
use crate::body::{self, BodyFormat};
use crate::database::log::Log;
use crate::error::ApiError;
use crate::idempotency::{self, Key, recorded_before};
use crate::posted::Posted;
use crate::recording::RecordError;
use crate::schemas::{PostedEntry, posted_example};

const MAX_BYTES: usize = 16 << 20;

/// A larger body is parsed on a thread of its own, because it would hold up the other requests of this one.
const MAX_INLINE_BYTES: usize = 16 << 10;

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
/// Without an answer, or after a 503 that says so, the entries may be recorded all the same. A request with an
/// `Idempotency-Key` can be sent again: if the log holds its entries, the answer is a 200 with their `seqs`. Entries
/// that bring their own `id` can be sent again as well: the log never holds an `id` twice, and a 409 says that it
/// holds one of them.
///
/// An NDJSON export can be posted as it is, to restore its entries. They keep their ids and get a new `seq`.
#[utoipa::path(
    post, path = "/api/v1/activity-log", tag = "log",
    request_body(
        description = "One entry as JSON, or one entry per line as NDJSON; at most 16 MiB",
        content(
            (PostedEntry = "application/json", example = json!(posted_example())),
            (String = "application/x-ndjson", example = json!(format!("{}\n", posted_example()))),
        ),
    ),
    params((
        "idempotency-key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "Your own name for this request, such as a UUID; all clients share their keys. The key gives an \
            `id` to each entry that brings none, so it holds for as long as the entries",
    )),
    responses(
        (
            status = 200, body = Recorded,
            description = "Nothing is recorded: the log already holds the entries of this `Idempotency-Key`",
            example = json!({"recorded": 0, "ids": ["al_019c0f3ad2f87c21a7a5e9d1f6b3c404"], "seqs": [7]}),
        ),
        (
            status = 201, description = "The entries are recorded", body = Recorded,
            example = json!({"recorded": 1, "ids": ["al_019c0f3ad2f87c21a7a5e9d1f6b3c404"], "seqs": [7]}),
        ),
        (
            status = 409,
            description = "The log already holds an entry with one of these ids, or other entries of this key",
        ),
        (status = 413, description = "The body exceeds 16 MiB"),
        (status = 415, description = "The content type is neither of the two above"),
        (status = 507, description = "The disk is full"),
    ),
)]
pub(crate) async fn record(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Recorded>), ApiError> {
    let body = body::receive(&headers, body, MAX_BYTES).await?;
    let format = BodyFormat::of(&headers)?;
    let key = Key::of(&headers)?;
    let mut posted = if body.len() > MAX_INLINE_BYTES {
        spawn_blocking(move || Posted::read(format, &body, &actor)).await??
    } else {
        Posted::read(format, &body, &actor)?
    };
    if let Some(key) = &key {
        key.give_ids(&mut posted);
    }
    let Posted { entries, given, lines } = posted;
    let ids = entries.iter().map(|entry| entry.id.clone()).collect();
    let has_own_id = given.iter().map(|given| given.id).collect::<Vec<_>>();
    let sent = key.as_ref().map(|_| entries.iter().cloned().zip(given).collect());
    let refused = match app.recording.record_all(entries).await {
        Ok(seqs) => {
            app.live.announce();
            return Ok((StatusCode::CREATED, Json(Recorded { recorded: seqs.len(), ids, seqs })));
        }
        Err(refused) => refused,
    };
    if let (RecordError::Log(DuplicateId { .. }), Some(sent)) = (&refused, sent) {
        let before = |log: &mut dyn Log| recorded_before(log, sent);
        if let Some(seqs) = app.database.read(before).await? {
            return Ok((StatusCode::OK, Json(Recorded { recorded: 0, ids, seqs })));
        }
    }
    Err(match refused {
        RecordError::Log(InvalidEntry { index, field, reason }) => {
            ApiError::field(field, reason).at_line(lines.get(index).copied())
        }
        RecordError::Log(DuplicateId { index }) if key.is_some() && has_own_id.get(index) == Some(&false) => {
            idempotency::used_for_others().at_line(lines.get(index).copied())
        }
        RecordError::Log(DuplicateId { index }) => ApiError::duplicate_id().at_line(lines.get(index).copied()),
        other => other.into(),
    })
}
