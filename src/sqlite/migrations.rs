use diesel::connection::BoxableConnection;
use diesel::migration::{self, Migration, MigrationMetadata, MigrationName, MigrationSource};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::sqlite::{FULL, LOCKED};
use crate::error::{Error, Result};
use crate::sqlite::catalog::object::object_exists;
use crate::sqlite::transaction::with_transaction;

/// The migrations in the repository's `migrations/` folder, for a host that runs them itself.
///
/// Their versions sort below any timestamp. A host's own newest migration therefore stays the newest in the table that
/// Diesel shares among all migrations, and its `revert_last_migration` keeps working. (A host's versions that merely count,
/// such as `00001`, sort below these; and its `revert_all_migrations` stops at the first one that is not its own.)
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Runs the pending migrations, all or none, and returns whether there were any.
pub(crate) fn run_pending(conn: &mut SqliteConnection) -> Result<bool> {
    if !conn.has_pending_migration(MIGRATIONS).map_err(migration_error)? {
        return Ok(false);
    }
    // Look again under the lock, or two processes would both find the same migration pending.
    with_transaction(conn, |conn| {
        for migration in conn.pending_migrations(MIGRATIONS).map_err(migration_error)? {
            conn.run_migration(&WithinTransaction(migration)).map_err(migration_error)?;
        }
        Ok(true)
    })
}

/// The versions of the migrations that have not been run. It does not create Diesel's table of versions.
pub(crate) fn pending_versions(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    let applied = applied_versions(conn)?;
    let known = known_versions()?;
    Ok(known.into_iter().filter(|version| !applied.contains(version)).collect())
}

/// Whether a newer version of this crate has run migrations that this version does not know.
pub(crate) fn is_newer(conn: &mut SqliteConnection) -> Result<bool> {
    let known = known_versions()?;
    let applied = applied_versions(conn)?;
    Ok(applied.iter().any(|version| version.starts_with(OUR_VERSIONS) && !known.contains(version)))
}

fn known_versions() -> Result<Vec<String>> {
    let migrations = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(migration_error)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn applied_versions(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    if !object_exists(conn, "__diesel_schema_migrations")? {
        return Ok(Vec::new());
    }
    let versions = conn.applied_migrations().map_err(migration_error)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

/// With what the version of each migration of this crate begins, as Diesel keeps it.
const OUR_VERSIONS: &str = "0000activitylog";

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
