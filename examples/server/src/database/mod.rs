//! The server's database: a file of SQLite or, behind the feature `postgres`, a database of PostgreSQL.

pub(crate) mod error;
mod in_file;
#[cfg(feature = "postgres")]
mod in_postgres;
mod pool;
mod retention_settings;
pub(crate) mod tables;

use std::path::Path;

use activity_log::{Recorder, RecorderOptions, RetentionPolicy, RetentionWorker, RetentionWorkerOptions};
use activity_log_axum::Viewer;
use tokio::task::spawn_blocking;

use crate::database::error::DatabaseError;
use crate::database::in_file::InFile;
#[cfg(feature = "postgres")]
use crate::database::in_postgres::InPostgres;
use crate::database::tables::Tables;

/// The pool, which the viewer shares. Clones share it too.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    File(InFile),
    #[cfg(feature = "postgres")]
    Postgres(InPostgres),
}

impl Database {
    /// Whether there may be a database at an address, as far as can be told without opening it.
    pub(crate) fn may_exist(address: &str) -> bool {
        is_url(address) || Path::new(address).exists()
    }

    /// Opens the database at a URL of PostgreSQL or in a file, and migrates it to this program's schema. A file is created
    /// when it is missing.
    pub(crate) fn open(address: &str) -> Result<Self, DatabaseError> {
        if is_url(address) {
            #[cfg(feature = "postgres")]
            return Ok(Self::Postgres(InPostgres::open(address)?));
            #[cfg(not(feature = "postgres"))]
            return Err(DatabaseError::NoPostgres);
        }
        Ok(Self::File(InFile::open(address)?))
    }

    pub(crate) fn viewer(&self) -> Viewer {
        match self {
            Self::File(file) => Viewer::new(file.pool.clone()),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Viewer::new(postgres.pool.clone()),
        }
    }

    /// Starts a recorder with a connection of its own.
    pub(crate) fn recorder(&self, options: RecorderOptions) -> activity_log::Result<Recorder> {
        match self.clone() {
            Self::File(file) => Recorder::start(move || file.connect(), options),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Recorder::start(move || postgres.connect(), options),
        }
    }

    /// Starts a worker with a connection of its own for each run.
    pub(crate) fn retention_worker(
        &self,
        policy: RetentionPolicy,
        options: RetentionWorkerOptions,
    ) -> activity_log::Result<RetentionWorker> {
        match self.clone() {
            Self::File(file) => RetentionWorker::start(move || file.connect(), policy, options),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => RetentionWorker::start(move || postgres.connect(), policy, options),
        }
    }

    /// Runs `work` with a connection. This call blocks.
    pub(crate) fn run_now<T>(
        &self,
        work: impl FnOnce(&mut dyn Tables) -> activity_log::Result<T>,
    ) -> Result<T, DatabaseError> {
        match self {
            Self::File(file) => file.run(|conn| work(conn)),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Ok(work(&mut *postgres.pool.get()?)?),
        }
    }

    /// Runs `work` with a connection, on a thread that may block. It runs to its end even if the caller stops waiting.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Tables) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let database = self.clone();
        spawn_blocking(move || database.run_now(work)).await?
    }

    /// Completes what lies beside the database, so that a copy of it has everything. Returns `false` when another process
    /// keeps using it.
    pub(crate) fn close(&self) -> activity_log::Result<bool> {
        match self {
            Self::File(file) => file.checkpoint(),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(true),
        }
    }
}

fn is_url(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}
