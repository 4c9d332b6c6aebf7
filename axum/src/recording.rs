//! Records entries: those that clients send, and those about exports.

use std::sync::Arc;
use std::time::Duration;

use activity_log::{EntryLimits, NewActivityLogEntry, Recorder, RecorderError, RecorderHealth, Redactor};
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};

use crate::database::file::FileLost;
use crate::database::{Database, DatabaseError};

/// How long a request waits until its entries are committed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much longer it waits for a transaction with its entries that is under way by then.
const GRACE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error(transparent)]
    File(#[from] FileLost),
    #[error("the database is busy, and nothing is recorded")]
    Busy,
    #[error("the entries were withdrawn, because the disk is full")]
    Full,
    #[error("a transaction with the entries is under way")]
    UnderWay,
    #[error("the recording did not finish: {0}")]
    Task(#[from] JoinError),
}

impl From<DatabaseError> for RecordError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Log(error) => Self::Log(error),
            DatabaseError::File(lost) => Self::File(lost),
            DatabaseError::Pool(_) | DatabaseError::WriteInProgress => Self::Busy,
            DatabaseError::Task(error) => Self::Task(error),
        }
    }
}

/// Records through the host's recorder or, without one, on a connection of the pool.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) database: Database,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) limits: EntryLimits,
    pub(crate) redactor: Arc<Redactor>,
}

impl Recording {
    /// Records all of the entries or none; returns the `seq` of each once they are committed.
    ///
    /// What the recorder's database does not take in time is withdrawn, so that a client can send it again. A caller
    /// that stops waiting leaves its entries in the queue, and they are still recorded.
    pub(crate) async fn record_all(&self, entries: Vec<NewActivityLogEntry>) -> Result<Vec<i64>, RecordError> {
        let Some(recorder) = &self.recorder else {
            let (limits, redactor) = (self.limits, Arc::clone(&self.redactor));
            return Ok(self.database.write(move |log| log.record_all(&entries, limits, &redactor)).await?);
        };
        self.database.check()?;
        let seqs = commit(recorder, entries).await?;
        // What went into a file that was lost meanwhile is lost with it.
        self.database.check()?;
        Ok(seqs)
    }

    /// The health of the recorder, if there is one.
    pub(crate) fn health(&self) -> Option<RecorderHealth> {
        self.recorder.as_ref().map(Recorder::health)
    }
}

async fn commit(recorder: &Recorder, entries: Vec<NewActivityLogEntry>) -> Result<Vec<i64>, RecordError> {
    let deadline = Instant::now() + PATIENCE;
    let queued = timeout_at(deadline, recorder.record_all_when_room(entries)).await;
    let mut receipt =
        queued.map_err(|_| withdrawn(recorder))?.map_err(|refused| activity_log::Error::from(refused.reason()))?;
    if let Ok(committed) = timeout_at(deadline, &mut receipt).await {
        return Ok(committed?);
    }
    recorder.withdraw(&receipt);
    match timeout_at(deadline + GRACE, receipt).await {
        Ok(Err(activity_log::Error::Recorder(RecorderError::Withdrawn))) => Err(withdrawn(recorder)),
        Ok(committed) => Ok(committed?),
        Err(_) => Err(RecordError::UnderWay),
    }
}

fn withdrawn(recorder: &Recorder) -> RecordError {
    let failure = recorder.health().failure;
    let is_full = failure.is_some_and(|failure| matches!(*failure.error, activity_log::Error::Full(_)));
    if is_full { RecordError::Full } else { RecordError::Busy }
}
