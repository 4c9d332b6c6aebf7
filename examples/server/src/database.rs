//! The pool, and how async code uses it without blocking.

use std::sync::Arc;
use std::time::Duration;

use activity_log::ConnectionCustomizer;
use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, Pool, PoolError};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

/// SQLite has one writer at a time, so that more connections serve readers only.
const POOL_SIZE: u32 = 8;

/// How many writes may be under way or wait for a connection: more than the pool lets wait as long as that.
const MOST_WRITES: u32 = 1_000;

/// How long a request waits for a connection before it is told to come back.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error("no connection to the database is to be had: {0}")]
    Pool(#[from] PoolError),
    #[error("the server is stopping")]
    Stopping,
    #[error("the work on the database was not finished: {0}")]
    Task(#[from] JoinError),
}

/// The server's database; clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pool: Pool<ConnectionManager<SqliteConnection>>,
    path: Arc<str>,
    changes: watch::Sender<()>,
    /// A turn for each write that is under way.
    writes: Arc<Semaphore>,
}

impl Database {
    /// Opens the file, creates it when it is missing, and brings it to the schema of this program.
    pub(crate) fn open(path: &str) -> Result<Self, DatabaseError> {
        // Not from the pool, which would retry until its timeout before it says what is wrong with the file.
        let mut conn = activity_log::connect(path)?;
        activity_log::run_migrations(&mut conn)?;
        // The page looks for texts as they are typed.
        activity_log::enable_search(&mut conn)?;

        let pool = Pool::builder()
            .max_size(POOL_SIZE)
            .connection_timeout(POOL_TIMEOUT)
            .connection_customizer(Box::new(ConnectionCustomizer))
            .build(ConnectionManager::new(path))?;
        let writes = Arc::new(Semaphore::new(MOST_WRITES as usize));
        Ok(Self { pool, path: path.into(), changes: watch::Sender::new(()), writes })
    }

    /// Reads: runs `work` with a connection, on a thread that may block.
    ///
    /// It also runs to its end when the caller stops waiting.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let pool = self.pool.clone();
        spawn_blocking(move || Ok(work(&mut *pool.get()?)?)).await?
    }

    /// Writes: as [`run`](Self::run), and then says that there is something new, also when the caller stopped waiting:
    /// what it records is recorded.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let turn = Arc::clone(&self.writes).acquire_owned().await.map_err(|_| DatabaseError::Stopping)?;
        let changes = self.changes.clone();
        let work = move |conn: &mut SqliteConnection| {
            let outcome = work(conn);
            changes.send_replace(());
            drop(turn);
            outcome
        };
        self.run(work).await
    }

    /// Refuses further writes, once those that are under way are done, for whomever they were; or after `patience`.
    pub(crate) async fn end_writes(&self, patience: Duration) {
        if timeout(patience, self.writes.acquire_many(MOST_WRITES)).await.is_err() {
            eprintln!("example-server: stopped with a write unfinished after {} s", patience.as_secs());
        }
        self.writes.close();
    }

    /// A connection beside the pool, for work that takes as long as a client likes. It blocks.
    pub(crate) fn connect(&self) -> activity_log::Result<SqliteConnection> {
        activity_log::connect(&self.path)
    }

    /// Where changes of the database are announced.
    pub(crate) fn changes(&self) -> &watch::Sender<()> {
        &self.changes
    }
}
