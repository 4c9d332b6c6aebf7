//! The server's database.

use activity_log::ConnectionCustomizer;
use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PoolError};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::task::{JoinError, spawn_blocking};

use crate::file::{FileLost, OpenFile};

/// The server's own. They share Diesel's version table with the log's migrations and sort after them.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The viewer uses half of them for exports.
const CONNECTIONS: u32 = 8;

#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error(transparent)]
    File(#[from] FileLost),
    #[error("no connection to the database is available: {0}")]
    Pool(#[from] PoolError),
    #[error("the database task did not finish: {0}")]
    Task(#[from] JoinError),
}

/// The pool, which the viewer shares, and the file behind it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) pool: Pool<ConnectionManager<SqliteConnection>>,
    file: OpenFile,
}

/// The pool replaces its connections now and then. SQLite opens the file at the first statement.
#[derive(Debug)]
struct OfFile(OpenFile);

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for OfFile {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        let Self(file) = self;
        file.check().map_err(|lost| diesel::r2d2::Error::ConnectionError(lost.into()))?;
        ConnectionCustomizer.on_acquire(conn)
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

        let pool = Pool::builder()
            .max_size(CONNECTIONS)
            // A file does not go away as a server does.
            .test_on_check_out(false)
            .connection_customizer(Box::new(OfFile(file.clone())))
            .build(ConnectionManager::new(path))?;
        Ok(Self { pool, file })
    }

    /// Runs `work` with a connection, on a thread that may block. It runs to its end even if the caller stops waiting.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.file.check()?;
        let pool = self.pool.clone();
        let done = spawn_blocking(move || Ok::<_, DatabaseError>(work(&mut *pool.get()?)?)).await??;
        // What went into a file that was lost meanwhile is lost with it.
        self.file.check()?;
        Ok(done)
    }

    /// Opens a connection outside the pool. This call blocks.
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
