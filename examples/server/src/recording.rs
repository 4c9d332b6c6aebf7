//! The server's one recorder.

use std::time::Duration;

use activity_log::{NewActivityLogEntry, QueuePolicy, Recorder, RecorderOptions, Redactor};
use tokio::task::{JoinError, spawn_blocking};

/// Room for some of the largest bodies that the viewer accepts. Entries that wait are limited by their bytes alone.
const QUEUE_BYTES: usize = 128 << 20;

/// The keys of metadata that clients may send by mistake, and nobody must read in a log.
const SECRETS: [&str; 10] = [
    "password",
    "passwd",
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "api_key",
    "authorization",
    "cookie",
    "set-cookie",
];

/// Entries have the limits of the crate's defaults: they say what happened, and are no place for documents.
///
/// Whatever has gathered while it commits is its next transaction, so clients share the time that
/// the disk takes. Entries of a change to the server's own tables are rather in the transaction of that change.
pub(crate) fn options() -> RecorderOptions {
    RecorderOptions::new()
        .queue_entries(usize::MAX)
        .queue_bytes(QUEUE_BYTES)
        .policy(QueuePolicy::Refuse)
        .redactor(Redactor::new(SECRETS))
        .on_failure(|failure| {
            // A database may stay away for hours, and the recorder tries at least once a second.
            if failure.attempts % 60 == 1 {
                tracing::error!("attempt {} to record failed: {}", failure.attempts, failure.error);
            }
        })
}

/// Records a last entry and what is queued before it. Says what could not be recorded in time, one entry a line, as it
/// can be sent to a server later; returns how many entries that are.
pub(crate) async fn end_with(
    recorder: Recorder,
    last: NewActivityLogEntry,
    time: Duration,
) -> Result<usize, JoinError> {
    // The receipt is of no interest: what is not recorded is reported.
    recorder.record(last);
    let unwritten = spawn_blocking(move || recorder.shutdown(time)).await?;
    for entry in &unwritten.entries {
        tracing::error!("not recorded: {}", serde_json::json!(entry));
    }
    for entry in &unwritten.unclear {
        tracing::error!("perhaps not recorded: {}", serde_json::json!(entry));
    }
    Ok(unwritten.entries.len() + unwritten.unclear.len())
}
