//! The database in a file of SQLite.

use activity_log::{ConnectionCustomizer, NewActivityLogEntry, Repository, Result};
use chrono::Utc;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::connection::{CONNECTIONS, Connection, PATIENCE};
use crate::database::error::DatabaseError;
use crate::database::file::OpenFile;
use crate::demo;
use crate::device::{Device, devices};

/// The server's own. They share Diesel's version table with the log's migrations and sort after them.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The pool, and the file behind it.
#[derive(Debug, Clone)]
pub(crate) struct InFile {
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

impl InFile {
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
            .connection_timeout(PATIENCE)
            .connection_customizer(Box::new(OfFile(file.clone())))
            .build(ConnectionManager::new(path))?;
        Ok(Self { pool, file })
    }

    /// Opens a connection outside the pool. This call blocks.
    pub(crate) fn connect(&self) -> Result<SqliteConnection> {
        self.file.connect()
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

/// Runs the server's migrations. Several servers may start at once, so it looks what is pending while it holds the lock.
fn migrate(conn: &mut SqliteConnection) -> Result<()> {
    use activity_log::Error::Migration;

    if conn.has_pending_migration(MIGRATIONS).map_err(Migration)? {
        conn.immediate_transaction(|conn| conn.run_pending_migrations(MIGRATIONS).map(drop).map_err(Migration))?;
    }
    Ok(())
}

impl Connection for SqliteConnection {
    fn devices(&mut self, limit: i64) -> Result<Vec<Device>> {
        Ok(devices::table.order(devices::id).limit(limit).select(Device::as_select()).load(self)?)
    }

    fn device(&mut self, id: &str) -> Result<Option<Device>> {
        Ok(devices::table.find(id).select(Device::as_select()).first(self).optional()?)
    }

    fn put_device(&mut self, device: &Device) -> Result<()> {
        let put = diesel::insert_into(devices::table).values(device).on_conflict(devices::id).do_update();
        put.set(device).execute(self)?;
        Ok(())
    }

    fn remove_device(&mut self, id: &str) -> Result<()> {
        diesel::delete(devices::table.find(id)).execute(self)?;
        Ok(())
    }

    fn in_transaction(&mut self, work: &mut dyn FnMut(&mut dyn Connection) -> Result<()>) -> Result<()> {
        self.immediate_transaction(|conn| work(conn))
    }

    fn record(&mut self, entry: &NewActivityLogEntry) -> Result<()> {
        Repository::new(self).record(entry).map(drop)
    }

    fn fill(&mut self, number: u32) -> Result<bool> {
        demo::fill(self, number, Utc::now())
    }
}
