use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::Error;

/// How a [`Recorder`](crate::Recorder) is doing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RecorderHealth {
    /// Whether it takes entries: it was not shut down.
    pub is_running: bool,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// How many entries wait or are being written.
    pub queued_entries: usize,
    /// About how many bytes of memory these take.
    pub queued_bytes: usize,
    /// How many callers wait for room.
    pub waiting_callers: usize,
    /// How many entries were committed since the start, with those of the recorder's own.
    pub recorded: u64,
    /// How many entries were not written because they were at fault, such as one whose id was taken.
    pub at_fault: u64,
    /// How many entries were refused: the queue was full, or the recorder switched off or shut down.
    pub refused: u64,
    /// How many entries were dropped because the queue was full.
    pub dropped: u64,
    /// How many entries were withdrawn before they were written.
    pub withdrawn: u64,
    /// Why nothing can be written at present; `None` if the last attempt succeeded.
    pub failure: Option<RecorderFailure>,
}

/// Why a [`Recorder`](crate::Recorder) cannot write at present. It keeps what it has and tries again.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecorderFailure {
    /// When the first attempt failed, by the system's clock.
    pub since: DateTime<Utc>,
    /// How many attempts have failed since.
    pub attempts: u64,
    /// Why the last attempt failed.
    pub error: Arc<Error>,
}
