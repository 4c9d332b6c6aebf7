use diesel::connection::BoxableConnection;
use diesel::migration::{self, Migration, MigrationMetadata, MigrationName};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::sqlite::{FULL, LOCKED};
use crate::error::{Error, Result};
use crate::sqlite::segments::summarize::catch_up;
use crate::sqlite::transaction::with_transaction;

/// The migrations in the repository's `migrations/` folder, for a host that runs them itself.
///
/// Their versions sort below any timestamp. A host's own newest migration therefore stays the newest in the table that
/// Diesel shares among all migrations, and its `revert_last_migration` keeps working. (A host's versions that merely count,
/// such as `00001`, sort below these; and its `revert_all_migrations` stops at the first one that is not its own.)
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Brings the database to the schema that this version of the crate reads and writes.
///
/// It runs the pending migrations, all or nothing; if there are none, it waits for nobody. In a log that already has
/// entries, the second migration builds indexes, some seconds per million entries, and writers wait that long. An existing
/// `activity_log` table is adopted with its rows. Then it summarizes entries that are not, such as those that other programs
/// wrote, about two seconds per million, with pauses for other writers; [`unsummarized`](crate::unsummarized) says whether
/// some are left. Call it at every start-up, before or after the host's own migrations. Several processes may do so at once
/// and wait for each other, as long as their busy timeout.
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
/// [`Error::Busy`] if another connection holds the lock, [`Error::Full`] if there is no room, [`Error::Migration`] if a
/// migration fails otherwise.
pub fn run_migrations(conn: &mut SqliteConnection) -> Result<()> {
    if conn.has_pending_migration(MIGRATIONS).map_err(migration_error)? {
        // Look again under the lock, or two processes would both find the same migration pending.
        with_transaction(conn, |conn| {
            for migration in conn.pending_migrations(MIGRATIONS).map_err(migration_error)? {
                conn.run_migration(&WithinTransaction(migration)).map_err(migration_error)?;
            }
            Ok(())
        })?;
    }
    catch_up(conn)
}

/// A migration without a transaction of its own. If SQLite rolls back by itself, as on a full disk, Diesel would report
/// its own failed rollback instead of the cause.
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

/// Tells a busy or full database apart, as everywhere else: a migration's failure hides its cause in a text.
fn migration_error(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let message = error.to_string();
    let same = |cause: &&str| message.ends_with(cause);
    match [LOCKED, FULL].into_iter().find(same) {
        Some(cause) => DatabaseError(DatabaseErrorKind::Unknown, Box::new(cause.to_owned())).into(),
        None => Error::Migration(error),
    }
}
