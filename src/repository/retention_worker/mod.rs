pub(crate) mod options;
mod run;
pub(crate) mod shared;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chrono::DateTime;

use crate::error::{Error, Result};
use crate::model::retention_policy::RetentionPolicy;
use crate::repository::retention_worker::options::RetentionWorkerOptions;
use crate::repository::retention_worker::run::Runner;
use crate::repository::retention_worker::shared::{RetentionRun, Shared};
use crate::store::Backend;

/// A thread that applies a retention policy on a schedule, through a connection of its own.
///
/// A nightly job that ends with the server:
///
/// ```
/// use std::time::Duration;
///
/// use activity_log::{
///     ActivityCategory, RESERVE_BYTES, RetentionPolicy, RetentionWorker, RetentionWorkerOptions, export,
/// };
/// use chrono::TimeDelta;
///
/// # fn main() -> activity_log::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let database = folder.path().join("server.db").display().to_string();
/// # let archive = folder.path().join("old-entries.ndjson");
/// activity_log::run_migrations(&mut activity_log::connect(&database)?)?;
///
/// let policy = RetentionPolicy::new()
///     .max_age(TimeDelta::days(365))
///     .category(ActivityCategory::Auth, TimeDelta::days(730))
///     .keep_at_least(10_000);
/// let options = RetentionWorkerOptions::new()
///     .interval(Duration::from_secs(24 * 60 * 60))
///     .keep_reserve(RESERVE_BYTES)
///     .archive(export::FileArchive::open(&archive)?)
///     .on_error(|error| eprintln!("retention: {error}"));
/// let worker = RetentionWorker::start(move || activity_log::connect(&database), policy, options)?;
///
/// // The server runs. Its admin page changes the policy and shows the last run:
/// worker.set_policy(RetentionPolicy::new().max_age(TimeDelta::days(180)).keep_at_least(10_000))?;
/// worker.run_now();
/// if let Some(run) = worker.last_run() {
///     println!("{}: {} entries deleted", run.finished_at, run.report.deleted);
/// }
///
/// // On SIGTERM:
/// worker.stop();
/// # Ok(())
/// # }
/// ```
///
/// Each run opens a connection and [applies the policy](crate::Repository::apply_retention). If the run deleted
/// something, it
///
/// - records one entry of category `system` and action `activity_log.pruned`, whose metadata says how many entries each
///   rule deleted and held back, and
/// - returns the freed space to the file system.
///
/// A run that does not fail and is not told to stop also [keeps the reserve](RetentionWorkerOptions::keep_reserve),
/// whether or not it deleted anything.
///
/// A run that fails is repeated after one second, then two, four and so on up to five minutes, but never later than the
/// interval. A run that failed after it deleted something records an entry of severity `warning`. A panic in one of the
/// host's functions counts as a failed run. The schedule uses a clock that never jumps; the ages of entries use the
/// system's clock.
///
/// Dropping the worker stops it.
#[derive(Debug)]
pub struct RetentionWorker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl RetentionWorker {
    /// Starts the thread. It calls `connect` before each run, for a connection that nobody else uses.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPolicy`] if the policy cannot be applied, [`Error::Worker`] if the thread cannot be started. If
    /// the database cannot be opened, the first run fails instead.
    pub fn start<C: Backend + 'static>(
        connect: impl FnMut() -> Result<C> + Send + 'static,
        policy: RetentionPolicy,
        options: RetentionWorkerOptions,
    ) -> Result<Self> {
        check(&policy)?;
        let shared = Arc::new(Shared::new(policy));
        let for_thread = Arc::clone(&shared);
        let runner = Runner::new(connect, options);
        let thread = thread::Builder::new().name("activity-log-retention".to_owned());
        let thread = thread.spawn(move || runner.work(&for_thread)).map_err(Error::Worker)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Replaces the policy. A run in progress ends after its current batch, and a new run begins with the new policy.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPolicy`] if the policy cannot be applied. The old policy stays then.
    pub fn set_policy(&self, policy: RetentionPolicy) -> Result<()> {
        check(&policy)?;
        self.shared.set_policy(policy);
        Ok(())
    }

    /// Makes the next run due now, and returns at once. If a run is in progress, another one follows it.
    pub fn run_now(&self) {
        self.shared.run_now();
    }

    /// The last run that did not fail; `None` before there is one.
    #[must_use]
    pub fn last_run(&self) -> Option<RetentionRun> {
        self.shared.last_run()
    }

    /// Ends a run in progress after its current batch, and waits for the thread to end, which takes less than a second.
    ///
    /// It takes longer if one of the host's functions does: `connect`, the archive, or a callback.
    pub fn stop(self) {}
}

/// Whether a policy is valid does not depend on the time, so any time serves.
fn check(policy: &RetentionPolicy) -> Result<()> {
    policy.due(DateTime::UNIX_EPOCH).map(drop)
}

impl Drop for RetentionWorker {
    fn drop(&mut self) {
        self.shared.stop();
        // A callback that owns the worker cannot wait for its own thread.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            drop(thread.join());
        }
    }
}
