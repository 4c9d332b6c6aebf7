//! The database in PostgreSQL.

use activity_log::{Result, postgres};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::error::DatabaseError;
use crate::database::pool::{CONNECTIONS, PATIENCE};

/// The server's own. They share Diesel's version table with the log's migrations and sort after them.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("postgres/migrations");

/// Any number that no other program uses for a lock.
const MIGRATING: i64 = 0x0065_7861_6d70_6c65;

/// The pool, and where its connections lead.
#[derive(Debug, Clone)]
pub(crate) struct InPostgres {
    pub(crate) pool: Pool<ConnectionManager<PgConnection>>,
    url: String,
}

impl InPostgres {
    pub(crate) fn open(url: &str) -> Result<Self, DatabaseError> {
        // The pool would retry until its timeout before it reports what is wrong with the server.
        let mut conn = PgConnection::establish(url).map_err(activity_log::Error::from)?;
        postgres::run_migrations(&mut conn)?;
        migrate(&mut conn)?;
        // The page searches while the reader types.
        postgres::enable_search(&mut conn)?;
        let pool = Pool::builder().max_size(CONNECTIONS).connection_timeout(PATIENCE);
        Ok(Self { pool: pool.build(ConnectionManager::new(url))?, url: url.to_owned() })
    }

    /// Opens a connection outside the pool. This call blocks.
    pub(crate) fn connect(&self) -> Result<PgConnection> {
        Ok(PgConnection::establish(&self.url)?)
    }
}

/// Runs the server's migrations. Several servers may start at once, so it looks what is pending while it holds the lock.
fn migrate(conn: &mut PgConnection) -> Result<()> {
    use activity_log::Error::Migration;

    conn.transaction(|conn| {
        diesel::sql_query(format!("SELECT pg_advisory_xact_lock({MIGRATING})")).execute(conn)?;
        conn.run_pending_migrations(MIGRATIONS).map(drop).map_err(Migration)
    })
}
