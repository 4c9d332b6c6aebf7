//! The database of a host that runs on SQLite or PostgreSQL, as its address says: with a table for the activity log, and
//! with tables of the host's own, for which it writes its statements once.

mod any_connection;

use std::error::Error;
use std::time::Duration;

use activity_log::{Recorder, RecorderOptions, RetentionPolicy, RetentionWorker, RetentionWorkerOptions};
use activity_log_axum::{ApiError, OpenFile, Viewer};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{
    Builder, ConnectionManager, CustomizeConnection, Pool, PoolError, PooledConnection, R2D2Connection,
};
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

pub use crate::any_connection::AnyConnection;

/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// Clones share the connections.
#[derive(Debug, Clone)]
pub struct Database {
    address: String,
    file: OpenFile,
    readers: Pool<ConnectionManager<AnyConnection>>,
    /// One, so that who waits for another writer leaves the other connections to readers.
    writer: Pool<ConnectionManager<AnyConnection>>,
}

impl Database {
    /// Opens the database at a URL of PostgreSQL or in a file, and migrates it. A file is created when it is missing.
    ///
    /// The host's migrations are for both, share Diesel's version table with the log's, and sort after them.
    ///
    /// # Errors
    ///
    /// Whatever keeps the database from being opened.
    pub fn open(address: &str, migrations: EmbeddedMigrations) -> Result<Self, Box<dyn Error>> {
        // The page searches while the reader types.
        if is_postgres(address) {
            #[cfg(not(feature = "postgres"))]
            return Err("this program has no PostgreSQL: build it with `--features postgres`".into());
            #[cfg(feature = "postgres")]
            {
                let mut conn = PgConnection::establish(address)?;
                activity_log::postgres::run_migrations(&mut conn)?;
                activity_log::postgres::enable_search(&mut conn)?;
            }
        } else {
            // A log tells who did what, so nobody else may read it.
            OpenFile::create_private(address)?;
            let mut conn = activity_log::connect(address)?;
            activity_log::run_migrations(&mut conn)?;
            activity_log::enable_search(&mut conn)?;
        }
        let file = OpenFile::at(address);
        let open = |connections| {
            let pool = pool(connections).test_on_check_out(is_postgres(address));
            pool.connection_customizer(Box::new(file.clone())).build(ConnectionManager::new(address))
        };
        let (readers, writer) = (open(4)?, open(1)?);
        let database = Self { address: address.to_owned(), file, readers, writer };
        database.transaction(|conn| {
            // Servers that start at the same moment wait for each other here.
            conn.batch_execute("UPDATE __diesel_schema_migrations SET run_on = run_on")?;
            conn.run_pending_migrations(migrations)
                .map(drop)
                .map_err(|error| activity_log::Error::Migration(error).into())
        })?;
        Ok(database)
    }

    /// A connection to read with.
    ///
    /// # Errors
    ///
    /// If there is none within three seconds, or the file was replaced or removed.
    pub fn get(&self) -> Result<PooledConnection<ConnectionManager<AnyConnection>>, ApiError> {
        self.file.check()?;
        Ok(self.readers.get()?)
    }

    /// Runs `work` in a transaction. Its first statement has to write, so that SQLite waits for other processes that do.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get) and of `work`; nothing is written then.
    pub fn transaction<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T, ApiError>) -> Result<T, ApiError> {
        self.file.check()?;
        let done = (*self.writer.get()?).transaction(work)?;
        // What went into a file that was lost meanwhile is lost with it.
        self.file.check()?;
        Ok(done)
    }

    /// The viewer, with a pool of its own. It uses half of the connections for exports.
    ///
    /// # Errors
    ///
    /// If no connection can be opened.
    pub fn viewer(&self) -> Result<Viewer, PoolError> {
        #[cfg(feature = "postgres")]
        if is_postgres(&self.address) {
            return Ok(Viewer::new(pool(8).build(ConnectionManager::<PgConnection>::new(&self.address))?));
        }
        // A file does not go away as a server does.
        let pool = pool(8).test_on_check_out(false).connection_customizer(Box::new(self.file.clone()));
        Ok(Viewer::new(pool.build(ConnectionManager::<SqliteConnection>::new(&self.address))?))
    }

    /// Starts a recorder with a connection of its own.
    ///
    /// # Errors
    ///
    /// Those of [`Recorder::start`].
    pub fn recorder(&self, options: RecorderOptions) -> activity_log::Result<Recorder> {
        let database = self.clone();
        #[cfg(feature = "postgres")]
        if is_postgres(&self.address) {
            return Recorder::start(move || PgConnection::establish(&database.address), options);
        }
        Recorder::start(move || database.connect_to_file(), options)
    }

    /// Starts a worker with a connection of its own for each run.
    ///
    /// # Errors
    ///
    /// Those of [`RetentionWorker::start`].
    pub fn retention_worker(
        &self,
        policy: RetentionPolicy,
        options: RetentionWorkerOptions,
    ) -> activity_log::Result<RetentionWorker> {
        let database = self.clone();
        #[cfg(feature = "postgres")]
        if is_postgres(&self.address) {
            return RetentionWorker::start(move || Ok(PgConnection::establish(&database.address)?), policy, options);
        }
        RetentionWorker::start(move || database.connect_to_file(), policy, options)
    }

    /// Moves the contents of the write-ahead log into the file, so that a copy of the file has everything.
    ///
    /// # Errors
    ///
    /// Whatever SQLite reports, and if another process uses the file.
    pub fn close(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if is_postgres(&self.address) {
            return Ok(());
        }
        let mut conn = self.connect_to_file()?;
        conn.batch_execute("PRAGMA busy_timeout = 1000")?;
        let checkpoint: Checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut conn)?;
        if checkpoint.busy == 0 { Ok(()) } else { Err("another process uses the file".into()) }
    }

    /// This must not create a file in the place of one that was removed.
    fn connect_to_file(&self) -> activity_log::Result<SqliteConnection> {
        self.file.check().map_err(ConnectionError::from)?;
        activity_log::connect(&self.address)
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = BigInt)]
    busy: i64,
}

fn is_postgres(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}

fn pool<C: R2D2Connection + 'static>(size: u32) -> Builder<ConnectionManager<C>> {
    Pool::builder().max_size(size).connection_timeout(PATIENCE)
}

impl CustomizeConnection<AnyConnection, diesel::r2d2::Error> for OpenFile {
    fn on_acquire(&self, conn: &mut AnyConnection) -> Result<(), diesel::r2d2::Error> {
        match conn {
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(_) => Ok(()),
            AnyConnection::Sqlite(conn) => self.on_acquire(conn),
        }
    }
}
