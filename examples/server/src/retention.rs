//! How long entries are kept: settings in a table of the server's own, and the worker that applies them.

use std::time::Duration;

use activity_log::{RetentionRun, RetentionWorker, RetentionWorkerOptions};
use activity_log_axum::{ApiError, Retention, RetentionChange, RetentionSettings};
use any_database::{AnyConnection, Database};
use diesel::prelude::*;
use diesel::result::Error::DeserializationError;

const INTERVAL: Duration = Duration::from_secs(60 * 60);

diesel::table! {
    retention_settings (id) {
        id -> Integer,
        settings -> Text,
    }
}

/// The retention of this server. Nothing is deleted until somebody turns it on.
#[derive(Debug)]
pub(crate) struct StoredRetention {
    database: Database,
    worker: RetentionWorker,
}

impl StoredRetention {
    /// Starts the worker. This call blocks.
    pub(crate) fn start(database: Database) -> Result<Self, ApiError> {
        let settings = load(&mut *database.get()?)?;
        let options = RetentionWorkerOptions::new().interval(INTERVAL).on_error(|error| {
            tracing::error!("the retention failed, and is tried again: {error}");
        });
        let worker = database.retention_worker(settings.policy(), options)?;
        Ok(Self { database, worker })
    }
}

impl Retention for StoredRetention {
    fn settings(&self) -> Result<RetentionSettings, ApiError> {
        load(&mut *self.database.get()?)
    }

    fn change(&self, change: &RetentionChange) -> Result<(), ApiError> {
        let settings = change.settings();
        self.database.transaction(|conn| {
            // Nobody else changes the settings before the transaction ends.
            diesel::update(retention_settings::table).set(retention_settings::id.eq(1)).execute(conn)?;
            let Some(entry) = change.entry(&load(conn)?)? else { return Ok(()) };
            let settings = retention_settings::settings.eq(serde_json::json!(settings).to_string());
            diesel::update(retention_settings::table).set(settings).execute(conn)?;
            conn.record(&entry)?;
            Ok(())
        })?;
        self.worker.set_policy(settings.policy())?;
        self.worker.run_now();
        Ok(())
    }

    fn last_run(&self) -> Option<RetentionRun> {
        self.worker.last_run()
    }
}

fn load(conn: &mut AnyConnection) -> Result<RetentionSettings, ApiError> {
    let settings = retention_settings::table.select(retention_settings::settings).first::<String>(conn)?;
    Ok(serde_json::from_str(&settings).map_err(|error| DeserializationError(error.into()))?)
}
