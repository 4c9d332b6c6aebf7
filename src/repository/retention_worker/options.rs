use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::model::retention_archive::RetentionArchive;
use crate::model::retention_report::RetentionReport;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const DEFAULT_FIRST_RUN_AFTER: Duration = Duration::from_secs(10);
const MIN_INTERVAL: Duration = Duration::from_secs(1);
const DEFAULT_ACTOR: &str = "activity-log";

/// When a [`RetentionWorker`](crate::RetentionWorker) runs, and whom it tells.
pub struct RetentionWorkerOptions {
    pub(crate) interval: Duration,
    pub(crate) first_run_after: Duration,
    pub(crate) reserve_bytes: Option<u64>,
    pub(crate) actor: String,
    pub(crate) archive: Option<Box<dyn RetentionArchive + Send>>,
    pub(crate) on_report: Box<dyn FnMut(&RetentionReport) + Send>,
    pub(crate) on_error: Box<dyn FnMut(&Error) + Send>,
}

impl Default for RetentionWorkerOptions {
    fn default() -> Self {
        Self {
            interval: DEFAULT_INTERVAL,
            first_run_after: DEFAULT_FIRST_RUN_AFTER,
            reserve_bytes: None,
            actor: DEFAULT_ACTOR.to_owned(),
            archive: None,
            on_report: Box::new(|_| {}),
            on_error: Box::new(|_| {}),
        }
    }
}

impl RetentionWorkerOptions {
    /// A run ten seconds after the start and then every 24 hours, without callbacks, archive or reserve.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time from the end of one run to the next, by a clock that never jumps; at least a second.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(MIN_INTERVAL);
        self
    }

    /// The time from the start of the worker to its first run.
    #[must_use]
    pub fn first_run_after(mut self, delay: Duration) -> Self {
        self.first_run_after = delay;
        self
    }

    /// Keeps this many bytes of disk in reserve after each run, for runs on a full disk. A database that cannot have a
    /// reserve, such as one in memory, gets none.
    #[must_use]
    pub fn keep_reserve(mut self, bytes: u64) -> Self {
        self.reserve_bytes = Some(bytes);
        self
    }

    /// The actor of the entries about the runs. The default is `activity-log`.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = actor.into();
        self
    }

    /// Hands each batch to the archive before the batch is deleted, so all that is deleted is in the archive.
    #[must_use]
    pub fn archive(mut self, archive: impl RetentionArchive + Send + 'static) -> Self {
        self.archive = Some(Box::new(archive));
        self
    }

    /// Calls `callback` after each run that did not fail, in the worker's thread.
    #[must_use]
    pub fn on_report(mut self, callback: impl FnMut(&RetentionReport) + Send + 'static) -> Self {
        self.on_report = Box::new(callback);
        self
    }

    /// Calls `callback` with each error of a run and of the work after it, in the worker's thread.
    #[must_use]
    pub fn on_error(mut self, callback: impl FnMut(&Error) + Send + 'static) -> Self {
        self.on_error = Box::new(callback);
        self
    }
}

impl fmt::Debug for RetentionWorkerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetentionWorkerOptions")
            .field("interval", &self.interval)
            .field("first_run_after", &self.first_run_after)
            .field("reserve_bytes", &self.reserve_bytes)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}
