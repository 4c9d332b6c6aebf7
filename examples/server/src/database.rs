//! The pool, and how async code uses it without blocking.

use std::sync::Arc;
use std::time::Duration;

use activity_log::ConnectionCustomizer;
use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, Pool, PoolError};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

/// SQLite has one writer at a time, so additional connections serve readers only.
const POOL_SIZE: u32 = 8;

/// How many writes may run or wait for a connection: more than can wait in the pool without timing out.
const MAX_WRITES: u32 = 1_000;

/// How long a request waits for a connection before the client is told to try again.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error("no connection to the database is available: {0}")]
    Pool(#[from] PoolError),
    #[error("the server is stopping")]
    Stopping,
    #[error("the database task did not finish: {0}")]
    Task(#[from] JoinError),
}

/// The server's database; clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pool: Pool<ConnectionManager<SqliteConnection>>,
    path: Arc<str>,
    changes: watch::Sender<()>,
    /// Each running write holds a permit.
    writes: Arc<Semaphore>,
}

impl Database {
    /// Opens the file, creates it when it is missing, and migrates it to this program's schema.
    pub(crate) fn open(path: &str) -> Result<Self, DatabaseError> {
        // The pool would retry until its timeout before it reports what is wrong with the file.
        let mut conn = activity_log::connect(path)?;
        activity_log::run_migrations(&mut conn)?;
        // The page searches while the reader types.
        activity_log::enable_search(&mut conn)?;

        let pool = Pool::builder()
            .max_size(POOL_SIZE)
            .connection_timeout(POOL_TIMEOUT)
            .connection_customizer(Box::new(ConnectionCustomizer))
            .build(ConnectionManager::new(path))?;
        let writes = Arc::new(Semaphore::new(MAX_WRITES as usize));
        Ok(Self { pool, path: path.into(), changes: watch::Sender::new(()), writes })
    }

    /// Runs `work` with a connection, on a thread that may block. The work runs to its end even if the caller stops
    /// waiting.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let pool = self.pool.clone();
        spawn_blocking(move || Ok(work(&mut *pool.get()?)?)).await?
    }

    /// Runs `work` as [`run`](Self::run) does, and then announces a change, even if the caller has stopped waiting.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let permit = Arc::clone(&self.writes).acquire_owned().await.map_err(|_| DatabaseError::Stopping)?;
        let changes = self.changes.clone();
        let work = move |conn: &mut SqliteConnection| {
            let outcome = work(conn);
            changes.send_replace(());
            drop(permit);
            outcome
        };
        self.run(work).await
    }

    /// Waits up to `patience` for the running writes to finish, even those whose client has gone, and then refuses
    /// further writes.
    pub(crate) async fn end_writes(&self, patience: Duration) {
        if timeout(patience, self.writes.acquire_many(MAX_WRITES)).await.is_err() {
            eprintln!("example-server: stopping with an unfinished write after {} s", patience.as_secs());
        }
        self.writes.close();
    }

    /// Opens a connection outside the pool, for work that a client can draw out. This call blocks.
    pub(crate) fn connect(&self) -> activity_log::Result<SqliteConnection> {
        activity_log::connect(&self.path)
    }

    /// The channel on which changes of the database are announced.
    pub(crate) fn changes(&self) -> &watch::Sender<()> {
        &self.changes
    }
}
