//! The migrations, and running them.

use diesel::connection::{BoxableConnection, SimpleConnection};
use diesel::migration::{self, Migration, MigrationMetadata, MigrationName};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::{Error, Result};

/// The migrations in the repository's `postgres/migrations/` folder, for a host that runs them itself.
///
/// Their versions sort below any timestamp. A host's own newest migration therefore stays the newest in the table that
/// Diesel shares among all migrations, and its `revert_last_migration` keeps working.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("postgres/migrations");

/// Creates the log's table and indexes, or brings them up to date. Call it at every start-up, before the log is used.
///
/// It runs the pending [`MIGRATIONS`] in one transaction, all or none, in the schema that is first in the `search_path`.
/// Any number of processes may call it at the same time: a lock lets one after the other look for pending migrations.
///
/// # Errors
///
/// [`Error::Migration`] if a migration fails.
pub fn run_migrations(conn: &mut PgConnection) -> Result<()> {
    conn.transaction(|conn| {
        // Looking for pending migrations creates Diesel's table of versions, which fails beside another that does so.
        conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
        for migration in conn.pending_migrations(MIGRATIONS).map_err(Error::Migration)? {
            conn.run_migration(&WithinTransaction(migration)).map_err(Error::Migration)?;
        }
        Ok(())
    })
}

/// "activity" in ASCII: other programs should not lock this number.
const LOCK: i64 = i64::from_be_bytes(*b"activity");

/// A migration without a transaction of its own.
struct WithinTransaction(Box<dyn Migration<Pg>>);

impl Migration<Pg> for WithinTransaction {
    fn run(&self, conn: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        self.0.run(conn)
    }

    fn revert(&self, conn: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        self.0.revert(conn)
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self
    }

    fn name(&self) -> &dyn MigrationName {
        self.0.name()
    }
}

impl MigrationMetadata for WithinTransaction {
    fn run_in_transaction(&self) -> bool {
        false
    }
}
