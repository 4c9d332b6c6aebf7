//! Records entries: those that clients send and the server's own.

use std::time::Duration;

use activity_log::{
    ActivityLogFilters, NewActivityLogEntry, QueuePolicy, Recorder, RecorderError, RecorderHealth, RecorderOptions,
    Subscription,
};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use crate::file::{FileLost, OpenFile};

/// How long a request waits until its entries are committed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much longer it waits for a transaction with its entries that is under way by then.
const GRACE: Duration = Duration::from_secs(1);

/// Room for some of the largest bodies that the server accepts. Entries that wait are limited by their bytes alone.
const QUEUE_BYTES: usize = 128 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error(transparent)]
    File(#[from] FileLost),
    #[error("the entries were withdrawn, because the database is busy")]
    Busy,
    #[error("the entries were withdrawn, because the disk is full")]
    Full,
    #[error("a transaction with the entries is under way")]
    UnderWay,
}

/// The server's one recorder. Whatever has gathered while it commits is its next transaction, so clients share the
/// time that the disk takes. Entries of a change to the host's own tables would rather be in the transaction of that
/// change.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    recorder: Recorder,
    file: OpenFile,
}

impl Recording {
    pub(crate) fn start(file: OpenFile) -> activity_log::Result<Self> {
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
        let opened = file.clone();
        Ok(Self { recorder: Recorder::start(move || opened.connect(), options)?, file })
    }

    /// Records an entry; returns its `seq` once it is committed.
    pub(crate) async fn record(&self, entry: NewActivityLogEntry) -> Result<i64, RecordError> {
        Ok(self.record_all(vec![entry]).await?.first().copied().unwrap_or_default())
    }

    /// Records all of the entries or none; returns the `seq` of each once they are committed.
    ///
    /// What the database does not take in time is withdrawn, so that a client can send it again. A caller that stops waiting
    /// leaves its entries in the queue, and they are still recorded.
    pub(crate) async fn record_all(&self, entries: Vec<NewActivityLogEntry>) -> Result<Vec<i64>, RecordError> {
        self.file.check()?;
        let seqs = self.commit(entries).await?;
        // What went into a file that was lost meanwhile is lost with it.
        self.file.check()?;
        Ok(seqs)
    }

    async fn commit(&self, entries: Vec<NewActivityLogEntry>) -> Result<Vec<i64>, RecordError> {
        let deadline = Instant::now() + PATIENCE;
        let queued = timeout_at(deadline, self.recorder.record_all_when_room(entries)).await;
        let mut receipt =
            queued.map_err(|_| self.withdrawn())?.map_err(|refused| activity_log::Error::from(refused.reason()))?;
        if let Ok(committed) = timeout_at(deadline, &mut receipt).await {
            return Ok(committed?);
        }
        self.recorder.withdraw(&receipt);
        match timeout_at(deadline + GRACE, receipt).await {
            Ok(Err(activity_log::Error::Recorder(RecorderError::Withdrawn))) => Err(self.withdrawn()),
            Ok(committed) => Ok(committed?),
            Err(_) => Err(RecordError::UnderWay),
        }
    }

    fn withdrawn(&self) -> RecordError {
        let failure = self.health().failure;
        let is_full = failure.is_some_and(|failure| matches!(*failure.error, activity_log::Error::Full(_)));
        if is_full { RecordError::Full } else { RecordError::Busy }
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
