//! The host's pool, whatever its connections are.

use std::sync::OnceLock;
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, Pool, PoolError, PooledConnection};

use crate::database::backend::Backend;
use crate::database::file::{FileLost, OpenFile};
use crate::database::log::Log;

/// How long a request waits for a connection or for its turn to write before the client is told to try again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// A pool of connections to a log.
pub(crate) trait Connections: Send + Sync {
    fn max_size(&self) -> u32;

    /// A connection of the pool. This call blocks.
    fn get(&self) -> Result<Box<dyn Connection>, PoolError>;

    /// A connection that is idle, if there is one.
    fn try_get(&self) -> Option<Box<dyn Connection>>;

    /// Fails if the file of the database was replaced or removed since a connection was used first.
    fn check(&self) -> Result<(), FileLost>;
}

/// A connection that goes back to its pool when it is dropped.
pub(crate) trait Connection {
    fn log(&mut self) -> &mut dyn Log;
}

impl<C: Backend> Connection for PooledConnection<ConnectionManager<C>> {
    fn log(&mut self) -> &mut dyn Log {
        &mut **self
    }
}

/// A pool, and the file that its connections have opened.
pub(crate) struct PooledLog<C: Backend> {
    pool: Pool<ConnectionManager<C>>,
    file: OnceLock<Option<OpenFile>>,
}

impl<C: Backend> PooledLog<C> {
    pub(crate) fn new(pool: Pool<ConnectionManager<C>>) -> Self {
        let log = Self { pool, file: OnceLock::new() };
        // What happens to the file from now on is noticed.
        log.file();
        log
    }

    /// The file, once it is known: an idle connection tells it at once.
    fn file(&self) -> Option<&OpenFile> {
        if C::IS_A_FILE
            && self.file.get().is_none()
            && let Some(mut conn) = self.pool.try_get()
        {
            self.file.get_or_init(|| conn.file().map(|path| OpenFile::at(&path)));
        }
        self.file.get().and_then(Option::as_ref)
    }
}

impl<C: Backend> Connections for PooledLog<C> {
    fn max_size(&self) -> u32 {
        self.pool.max_size()
    }

    fn get(&self) -> Result<Box<dyn Connection>, PoolError> {
        Ok(Box::new(self.pool.get_timeout(PATIENCE.min(self.pool.connection_timeout()))?))
    }

    fn try_get(&self) -> Option<Box<dyn Connection>> {
        Some(Box::new(self.pool.try_get()?))
    }

    fn check(&self) -> Result<(), FileLost> {
        self.file().map_or(Ok(()), OpenFile::check)
    }
}
