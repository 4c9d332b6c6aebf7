use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::sqlite::in_transaction;
use crate::{Error, Result};

/// The migrations of the repository's `migrations/` folder, for a host that runs them by its own means.
///
/// Their versions sort below any timestamp, so that a host's own newest migration stays the newest in the table that
/// Diesel shares among all: its `revert_last_migration` keeps working.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Brings the database to the schema that this version of the crate reads and writes.
///
/// It runs what has not yet been run, all or nothing; when that is nothing it changes nothing. An `activity_log` table
/// that is already there is adopted with its rows. Run it at every start-up, before or after the host's own
/// migrations; several processes may do so at once, and wait for each other.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// let mut conn = activity_log::connect(":memory:")?;
/// activity_log::run_migrations(&mut conn)?;
/// activity_log::run_migrations(&mut conn)?; // changes nothing
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Migration`] when a migration fails, [`Error::Database`] when the lock cannot be had.
pub fn run_migrations(conn: &mut SqliteConnection) -> Result<()> {
    let run = |conn: &mut SqliteConnection| {
        conn.run_pending_migrations(MIGRATIONS).map_err(Error::Migration)?;
        Ok(())
    };
    // The lock is taken before the first look, or two processes would both find the migrations pending.
    if in_transaction(conn)? { conn.transaction(run) } else { conn.immediate_transaction(run) }
}
