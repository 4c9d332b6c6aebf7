use diesel::connection::BoxableConnection;
use diesel::migration::{self, Migration, MigrationMetadata, MigrationName};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::{FULL, LOCKED};
use crate::sqlite::in_one_transaction;
use crate::{Error, Result};

/// The migrations of the repository's `migrations/` folder, for a host that runs them by its own means.
///
/// Their versions sort below any timestamp, so that a host's own newest migration stays the newest in the table that
/// Diesel shares among all: its `revert_last_migration` keeps working. (Versions of the host's that merely count, such
/// as `00001`, sort below these; and its `revert_all_migrations` stops at the first that is not its own.)
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Brings the database to the schema that this version of the crate reads and writes.
///
/// It runs what has not yet been run, all or nothing; when that is nothing it waits for nobody. In a log that is there
/// already, the later migrations build indexes and summaries, some seconds for each million entries, and writers wait so
/// long. An `activity_log` table that is already there is adopted with its rows. Run it at every start-up, before or after
/// the host's own migrations; several processes may do so at once, and wait for each other as long as their busy timeout.
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
/// [`Error::Busy`] when the lock cannot be had, [`Error::Full`] when there is no room, [`Error::Migration`] when a
/// migration fails otherwise.
pub fn run_migrations(conn: &mut SqliteConnection) -> Result<()> {
    if !conn.has_pending_migration(MIGRATIONS).map_err(migration_error)? {
        return Ok(());
    }
    // The lock is taken before the look that counts, or two processes would both find the same migration pending.
    in_one_transaction(conn, |conn| {
        for migration in conn.pending_migrations(MIGRATIONS).map_err(migration_error)? {
            conn.run_migration(&WithinTransaction(migration)).map_err(migration_error)?;
        }
        Ok(())
    })
}

/// A migration with no transaction of its own: where SQLite has rolled back by itself, as on a full disk, Diesel would
/// report that it no longer could in the place of why.
struct WithinTransaction(Box<dyn Migration<Sqlite>>);

impl Migration<Sqlite> for WithinTransaction {
    fn run(&self, conn: &mut dyn BoxableConnection<Sqlite>) -> migration::Result<()> {
        self.0.run(conn)
    }

    fn revert(&self, conn: &mut dyn BoxableConnection<Sqlite>) -> migration::Result<()> {
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

/// A database that is busy or full is so here as everywhere else; but a migration's failure hides its cause in a text.
fn migration_error(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let message = error.to_string();
    let same = |cause: &&str| message.ends_with(cause);
    match [LOCKED, FULL].into_iter().find(same) {
        Some(cause) => DatabaseError(DatabaseErrorKind::Unknown, Box::new(cause.to_owned())).into(),
        None => Error::Migration(error),
    }
}
