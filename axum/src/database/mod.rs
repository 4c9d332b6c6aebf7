//! The host's connections, and how async code uses them without blocking.

pub(crate) mod backend;
pub(crate) mod file;
pub(crate) mod log;
pub(crate) mod pool;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::sync::Arc;

use diesel::r2d2::PoolError;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, block_in_place, spawn_blocking};
use tokio::time::timeout;

use crate::database::file::FileLost;
use crate::database::log::Log;
use crate::database::pool::{Connections, PATIENCE};

#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error(transparent)]
    File(#[from] FileLost),
    #[error("no connection to the database is available: {0}")]
    Pool(#[from] PoolError),
    #[error("another write goes on for too long")]
    WriteInProgress,
    #[error("the database task did not finish: {0}")]
    Task(#[from] JoinError),
}

/// The host's database; clones share its connections.
#[derive(Clone)]
pub(crate) struct Database {
    connections: Arc<dyn Connections>,
    /// One write at a time, so that writes leave the pool's other connections to readers.
    writing: Arc<Semaphore>,
    /// Whether a request is read for on its own thread, and not on another one.
    reads_in_place: bool,
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Database {
    pub(crate) fn new(connections: Arc<dyn Connections>) -> Self {
        Self { connections, writing: Arc::new(Semaphore::new(1)), reads_in_place: false }
    }

    pub(crate) fn with_reads_in_place(self) -> Self {
        Self { reads_in_place: true, ..self }
    }

    /// The most connections that the host's pool has.
    pub(crate) fn max_connections(&self) -> usize {
        self.connections.max_size() as usize
    }

    /// Fails if the database's file was replaced or removed. Then nothing is read or written any more.
    pub(crate) fn check(&self) -> Result<(), FileLost> {
        self.connections.check()
    }

    /// Runs `work` with a connection of the pool on this thread, which may block.
    pub(crate) fn block_on<T>(
        &self,
        work: impl FnOnce(&mut dyn Log) -> activity_log::Result<T>,
    ) -> Result<T, DatabaseError> {
        Ok(work(self.connections.get()?.log())?)
    }

    /// Runs `read` with a connection, on a thread that may block. It runs to its end even if the caller stops waiting.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        mut read: impl FnOnce(&mut dyn Log) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.check()?;
        if self.reads_in_place && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
            // A thread that waited for a connection would not be there for other requests.
            let done = block_in_place(|| match self.connections.try_get() {
                Some(mut conn) => Ok(read(conn.log())),
                None => Err(read),
            });
            read = match done {
                Ok(done) => return Ok(done?),
                Err(read) => read,
            };
        }
        let database = self.clone();
        spawn_blocking(move || database.block_on(read)).await?
    }

    /// Runs `write` with a connection, when no other write of the viewer runs. It runs to its end even if the caller
    /// stops waiting.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut dyn Log) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.check()?;
        let turn = timeout(PATIENCE, Arc::clone(&self.writing).acquire_owned()).await;
        let turn = turn.map_err(|_| DatabaseError::WriteInProgress)?;
        let database = self.clone();
        let task = move || {
            let _turn = turn;
            database.block_on(write)
        };
        let written = spawn_blocking(task).await??;
        // What went into a file that was lost meanwhile is lost with it.
        self.check()?;
        Ok(written)
    }
}
