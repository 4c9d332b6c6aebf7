//! The database in a file of SQLite.

use std::fs::OpenOptions;

use activity_log::{ConnectionCustomizer, Result};
use activity_log_axum::OpenFile;
use diesel::ConnectionError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::error::DatabaseError;
use crate::database::pool::{CONNECTIONS, PATIENCE};

/// The server's own. They share Diesel's version table with the log's migrations and sort after them.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The pool, and the file behind it.
#[derive(Debug, Clone)]
pub(crate) struct InFile {
    pub(crate) pool: Pool<ConnectionManager<SqliteConnection>>,
    path: String,
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

impl InFile {
    pub(crate) fn open(path: &str) -> Result<Self, DatabaseError> {
        create_for_owner(path);
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
            .connection_timeout(PATIENCE)
            .connection_customizer(Box::new(OfFile(file.clone())))
            .build(ConnectionManager::new(path))?;
        Ok(Self { pool, path: path.to_owned(), file })
    }

    /// Opens a connection outside the pool. This call blocks. It must not create a file in the place of one that was
    /// removed.
    pub(crate) fn connect(&self) -> Result<SqliteConnection> {
        self.file.check().map_err(ConnectionError::from)?;
        activity_log::connect(&self.path)
    }

    pub(crate) fn run<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> Result<T>) -> Result<T, DatabaseError> {
        self.file.check()?;
        let done = work(&mut *self.pool.get()?)?;
        // What went into a file that was lost meanwhile is lost with it.
        self.file.check()?;
        Ok(done)
    }

    /// Moves the contents of the write-ahead log into the database file, so that copying this one file copies the whole
    /// activity log. Returns `false` when another process keeps using the file.
    pub(crate) fn checkpoint(&self) -> Result<bool> {
        #[derive(QueryableByName)]
        struct Checkpoint {
            #[diesel(sql_type = BigInt)]
            busy: i64,
        }

        let mut conn = self.connect()?;
        conn.batch_execute("PRAGMA busy_timeout = 1000")?;
        let checkpoint: Checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut conn)?;
        Ok(checkpoint.busy == 0)
    }
}

/// Creates a file that only its owner may read, if it is missing. SQLite gives the mode of the file to those beside it.
/// Whatever fails here, SQLite reports.
fn create_for_owner(path: &str) {
    // SQLite reads these as something other than a path.
    if path.starts_with("file:") || path == ":memory:" {
        return;
    }
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    _ = options.write(true).create_new(true).open(path);
}

/// Runs the server's migrations. Several servers may start at once, so it looks what is pending while it holds the lock.
fn migrate(conn: &mut SqliteConnection) -> Result<()> {
    use activity_log::Error::Migration;

    if conn.has_pending_migration(MIGRATIONS).map_err(Migration)? {
        conn.immediate_transaction(|conn| conn.run_pending_migrations(MIGRATIONS).map(drop).map_err(Migration))?;
    }
    Ok(())
}
