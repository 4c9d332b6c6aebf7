//! How long entries are kept: settings in a table of the server's own, and the worker that applies them.

use std::time::Duration;

use activity_log::{NewActivityLogEntry, RetentionRun, RetentionWorker, RetentionWorkerOptions};
use activity_log_axum::{ApiError, Retention, RetentionSettings};
use diesel::prelude::*;

use crate::database::Database;
use crate::database::error::DatabaseError;

const INTERVAL: Duration = Duration::from_secs(60 * 60);

diesel::table! {
    retention (id) {
        id -> Integer,
        enabled -> Bool,
        days -> Nullable<Integer>,
        entries -> Nullable<BigInt>,
    }
}

/// The settings as they are stored, in the one row that there is.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = retention, treat_none_as_null = true)]
pub(crate) struct Stored {
    id: i32,
    enabled: bool,
    days: Option<i32>,
    entries: Option<i64>,
}

impl From<RetentionSettings> for Stored {
    fn from(settings: RetentionSettings) -> Self {
        let RetentionSettings { enabled, days, entries, .. } = settings;
        // The viewer accepts no more days than this, and no log has more entries.
        let days = days.map(|days| days.try_into().unwrap_or(i32::MAX));
        let entries = entries.map(|entries| entries.try_into().unwrap_or(i64::MAX));
        Self { id: 1, enabled, days, entries }
    }
}

impl From<Stored> for RetentionSettings {
    fn from(Stored { enabled, days, entries, .. }: Stored) -> Self {
        Self::new(enabled, days.map(i32::unsigned_abs), entries.map(i64::unsigned_abs))
    }
}

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
