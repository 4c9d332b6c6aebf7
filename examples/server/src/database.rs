//! The connections, and how async code uses them without blocking.

use std::sync::Arc;
use std::time::Duration;

use activity_log::ConnectionCustomizer;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PoolError};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, timeout, timeout_at};

use crate::file::{FileLost, OpenFile};

/// The server's own. They share Diesel's version table with the log's migrations and sort after them.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

const READERS: u32 = 8;

/// How long a request waits for a connection or for its turn to write before the client is told to try again.
const PATIENCE: Duration = Duration::from_secs(3);

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

/// The server's database; clones share its connections.
///
/// The pool is for readers, whom no writer makes wait. The server's [recorder](crate::recording) has a connection of
/// its own, and so has each other [write](Self::write), of which there are few.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    readers: Pool<ConnectionManager<SqliteConnection>>,
    file: OpenFile,
    /// SQLite has one writer at a time.
    writing: Arc<Mutex<()>>,
}

/// Readers cannot write, so they never ask for the lock of writers.
#[derive(Debug)]
struct Reader {
    file: OpenFile,
}

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Reader {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        // The pool replaces its connections now and then. SQLite opens the file at the first statement.
        self.file.check().map_err(|lost| diesel::r2d2::Error::ConnectionError(lost.into()))?;
        ConnectionCustomizer.on_acquire(conn)?;
        conn.batch_execute("PRAGMA query_only = ON").map_err(diesel::r2d2::Error::QueryError)
    }
}

impl Database {
    /// Opens the file, creates it when it is missing, and migrates it to this program's schema.
    pub(crate) fn open(path: &str) -> Result<Self, DatabaseError> {
        // The pool would retry until its timeout before it reports what is wrong with the file.
        let mut conn = activity_log::connect(path)?;
        activity_log::run_migrations(&mut conn)?;
        migrate(&mut conn)?;
        // The page searches while the reader types.
        activity_log::enable_search(&mut conn)?;
        let file = OpenFile::at(path);

        let readers = Pool::builder()
            .max_size(READERS)
            // A file does not go away as a server does.
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .connection_customizer(Box::new(Reader { file: file.clone() }))
            .build(ConnectionManager::new(path))?;
        Ok(Self { readers, file, writing: Arc::default() })
    }

    /// Fails if the file was replaced or removed. Then nothing is read or written any more.
    pub(crate) fn check(&self) -> Result<(), FileLost> {
        self.file.check()
    }

    /// Runs `read` with a connection for reading, on a thread that may block. It runs to its end even if the caller
    /// stops waiting.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.check()?;
        let readers = self.readers.clone();
        spawn_blocking(move || Ok(read(&mut *readers.get()?)?)).await?
    }

    /// Runs `write` with a connection of its own, when no other one runs. It runs to its end even if the caller stops
    /// waiting.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.check()?;
        let turn = timeout(PATIENCE, Arc::clone(&self.writing).lock_owned()).await;
        let turn = turn.map_err(|_| DatabaseError::WriteInProgress)?;
        let database = self.clone();
        let task = move || {
            let _turn = turn;
            write(&mut database.connect()?)
        };
        let written = spawn_blocking(task).await??;
        // What went into a file that was lost meanwhile is lost with it.
        self.check()?;
        Ok(written)
    }

    /// Waits until the running write is done, even one whose client has gone. No other can begin while the guard is
    /// held.
    pub(crate) async fn end_writes(&self, deadline: Instant) -> Option<OwnedMutexGuard<()>> {
        timeout_at(deadline, Arc::clone(&self.writing).lock_owned()).await.ok()
    }

    /// Opens a connection outside the pool, for work that a client can draw out. This call blocks.
    pub(crate) fn connect(&self) -> activity_log::Result<SqliteConnection> {
        self.file.connect()
    }

    pub(crate) fn file(&self) -> &OpenFile {
        &self.file
    }
}

/// Runs the server's migrations. Several servers may start at once, so it looks what is pending while it holds the lock.
fn migrate(conn: &mut SqliteConnection) -> activity_log::Result<()> {
    use activity_log::Error::Migration;

    if conn.has_pending_migration(MIGRATIONS).map_err(Migration)? {
        conn.immediate_transaction(|conn| conn.run_pending_migrations(MIGRATIONS).map(drop).map_err(Migration))?;
    }
    Ok(())
}
