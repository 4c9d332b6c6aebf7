//! The migrations.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::error::{Error, Result};

/// The migrations in the repository's `postgres/migrations/` folder, for a host that runs them itself.
///
/// Their versions sort below any timestamp. A host's own newest migration therefore stays the newest in the table that
/// Diesel shares among all migrations, and its `revert_last_migration` keeps working.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("postgres/migrations");

/// The versions of the migrations, in their order.
pub(crate) fn known_versions() -> Result<Vec<String>> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(Error::Migration)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}
