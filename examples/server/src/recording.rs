//! Records entries: those that clients send and the server's own.

use std::time::Duration;

use activity_log::{
    ActivityLogFilters, NewActivityLogEntry, QueuePolicy, Recorder, RecorderHealth, RecorderOptions, Subscription,
};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, timeout_at};

/// How long a request waits until its entries are committed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Room for some of the largest bodies that the server accepts. Entries that wait are limited by their bytes alone.
const QUEUE_BYTES: usize = 128 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error("the entries were withdrawn, because there was no room for them in the queue")]
    NoRoom,
    #[error("the entries are queued, but the database did not take them yet")]
    NotYet,
    #[error("the entries are queued, but the disk is full")]
    NotYetFull,
}

/// The server's one recorder. Whatever has gathered while it commits is its next transaction, so clients share the
/// time that the disk takes. Entries of a change to the host's own tables would rather be in the transaction of that
/// change.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    recorder: Recorder,
}

impl Recording {
    pub(crate) fn start(path: &str) -> activity_log::Result<Self> {
        let path = path.to_owned();
        let options = RecorderOptions::new()
            .queue_entries(usize::MAX)
            .queue_bytes(QUEUE_BYTES)
            .policy(QueuePolicy::Refuse)
            .on_failure(|failure| {
                // A database may stay away for hours, and the recorder tries at least once a second.
                if failure.attempts % 60 == 1 {
                    eprintln!("example-server: attempt {} to record failed: {}", failure.attempts, failure.error);
                }
            });
        Ok(Self { recorder: Recorder::start(move || activity_log::connect(&path), options)? })
    }

    /// Records an entry; returns its `seq` once it is committed.
    pub(crate) async fn record(&self, entry: NewActivityLogEntry) -> Result<i64, RecordError> {
        Ok(self.record_all(vec![entry]).await?.first().copied().unwrap_or_default())
    }

    /// Records all of the entries or none; returns the `seq` of each once they are committed.
    ///
    /// While they wait for room in the queue, a caller that stops waiting withdraws them. Once they are in the queue,
    /// they are recorded, even if nobody waits for that any more.
    pub(crate) async fn record_all(&self, entries: Vec<NewActivityLogEntry>) -> Result<Vec<i64>, RecordError> {
        let deadline = Instant::now() + PATIENCE;
        let queued = timeout_at(deadline, self.recorder.record_all_when_room(entries)).await;
        let receipt =
            queued.map_err(|_| RecordError::NoRoom)?.map_err(|refused| activity_log::Error::from(refused.reason()))?;
        let committed = timeout_at(deadline, receipt).await;
        Ok(committed.map_err(|_| if self.is_full() { RecordError::NotYetFull } else { RecordError::NotYet })??)
    }

    fn is_full(&self) -> bool {
        self.health().failure.is_some_and(|failure| matches!(*failure.error, activity_log::Error::Full(_)))
    }

    pub(crate) fn health(&self) -> RecorderHealth {
        self.recorder.health()
    }

    /// The entries that the recorder has committed. Only the newest is kept for a slow reader.
    pub(crate) fn subscribe(&self) -> activity_log::Result<Subscription> {
        self.recorder.subscribe(ActivityLogFilters::default(), 1)
    }

    /// Records a last entry and what is queued before it, until the deadline. Reports on standard error what could not
    /// be recorded, one entry a line, as it can be sent to a server later; returns how many entries that are.
    pub(crate) async fn end_with(self, last: NewActivityLogEntry, deadline: Instant) -> Result<usize, JoinError> {
        // The receipt is of no interest: what is not recorded is reported.
        self.recorder.record(last);
        let left = deadline.saturating_duration_since(Instant::now());
        let unwritten = spawn_blocking(move || self.recorder.shutdown(left)).await?;
        for entry in &unwritten.entries {
            eprintln!("example-server: not recorded: {}", serde_json::json!(entry));
        }
        for entry in &unwritten.unclear {
            eprintln!("example-server: perhaps not recorded: {}", serde_json::json!(entry));
        }
        Ok(unwritten.entries.len() + unwritten.unclear.len())
    }
}
