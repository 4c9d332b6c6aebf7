//! How long entries are kept: settings in a table of the server's own, and the worker that applies them.

use std::time::Duration;

use activity_log::{NewActivityLogEntry, RetentionRun, RetentionWorker, RetentionWorkerOptions};
use activity_log_axum::{ApiError, Retention, RetentionSettings};

use crate::database::Database;
use crate::database::error::DatabaseError;

const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The retention of this server. Nothing is deleted until somebody turns it on.
#[derive(Debug)]
pub(crate) struct OwnRetention {
    database: Database,
    worker: RetentionWorker,
}

impl OwnRetention {
    /// Starts the worker. This call blocks.
    pub(crate) fn start(database: Database) -> Result<Self, DatabaseError> {
        let settings = database.run_now(|conn| conn.retention())?;
        let options = RetentionWorkerOptions::new().interval(INTERVAL).on_error(|error| {
            tracing::error!("the retention failed, and is tried again: {error}");
        });
        let worker = database.retention_worker(settings.policy(), options)?;
        Ok(Self { database, worker })
    }
}

impl Retention for OwnRetention {
    fn settings(&self) -> Result<RetentionSettings, ApiError> {
        Ok(self.database.run_now(|conn| conn.retention())?)
    }

    fn change(&self, settings: RetentionSettings, entry: NewActivityLogEntry) -> Result<(), ApiError> {
        self.database.run_now(|conn| {
            conn.transaction(|conn| {
                conn.put_retention(settings)?;
                conn.record(&entry)
            })
        })?;
        self.worker.set_policy(settings.policy())?;
        self.worker.run_now();
        Ok(())
    }

    fn last_run(&self) -> Option<RetentionRun> {
        self.worker.last_run()
    }
}
