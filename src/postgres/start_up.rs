//! Making a database what the log needs.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::migration::CREATE_MIGRATIONS_TABLE;
use diesel::prelude::QueryResult;
use diesel::sql_types::Text;

use crate::error::{Error, Result};
use crate::postgres::catalog::difference::{differences, overlook_other_tables, refuse_foreign_objects};
use crate::postgres::catalog::expected::{Expected, MIGRATIONS};
use crate::postgres::catalog::object::objects;
use crate::postgres::catalog::place::Place;
use crate::postgres::catalog::repair::{can_be_put_right, obstacle, put_right};
use crate::postgres::execute::Execute;
use crate::postgres::migrations::known_versions;
use crate::postgres::statement::Sql;
use crate::postgres::transaction::Transaction;
#[cfg(feature = "postgres")]
use crate::store::blocking::run;

/// Brings the database to the schema that this version of the crate reads and writes.
///
/// Call it at every start-up, before or after the host's own migrations. It
///
/// - runs the pending [`MIGRATIONS`](crate::postgres::MIGRATIONS), all or none, in the schema that is first in the
///   `search_path`. In a log that already has entries, the second migration builds indexes, and writers wait that long;
/// - puts back indexes and constraints of the log that are missing or were changed, and indexes that `CREATE INDEX
///   CONCURRENTLY` did not build to the end, all or none. If rows that another program wrote violate the constraint on
///   severities, they stay, and only new rows are checked.
///
/// If `activity_log` already stands for a log, in any schema of the `search_path`, it looks after that one and no other. It
/// changes nothing that belongs to another table. A database that a newer version of the crate has migrated is left as it is.
///
/// If there is nothing to do, it only reads and takes no lock, in some milliseconds. It then needs no right but to read, and
/// also works on a standby. On a read-only connection it puts nothing back; [`check`](crate::postgres::check) says what is
/// missing. Any number of processes may call it at the same time: a lock lets one after the other look for what is to be done.
///
/// # Errors
///
/// [`Error::ForeignTable`] if the database has a table or a view `activity_log` that is not a log, [`Error::NameTaken`] if an
/// object of another table has a name that the log needs, [`Error::CannotCreate`] if the connection's role may not create
/// what is missing or the connection is read-only while migrations are pending, [`Error::Busy`] if a lock was not granted
/// within the connection's `lock_timeout`, [`Error::Full`] if there is no room, [`Error::Migration`] if a migration fails
/// otherwise. Nothing has changed then.
#[cfg(feature = "postgres")]
pub fn run_migrations(conn: &mut PgConnection) -> Result<()> {
    run(start_up(conn))
}

pub(crate) async fn start_up(conn: &mut impl Execute) -> Result<()> {
    let place = Place::find(conn).await?;
    let versions = Versions::find(conn, &place).await?;
    if versions.is_newer || versions.pending.is_empty() && is_whole(&place)? {
        return Ok(());
    }
    if place.is_read_only {
        // Nothing can be put back.
        return if versions.pending.is_empty() { Ok(()) } else { Err(cannot_create(READ_ONLY.to_owned())) };
    }
    let transaction = Transaction::begin(conn).await?;
    let outcome = put_in_order(conn).await;
    transaction.end(conn, outcome).await
}

const READ_ONLY: &str = "migrations are pending and the connection is read-only";

fn cannot_create(reason: String) -> Error {
    Error::CannotCreate { what: "the table `activity_log` or an index of it".to_owned(), reason }
}

/// Whether the log looks as it did when the snapshot was taken.
fn is_whole(place: &Place) -> Result<bool> {
    let snapshot = Expected::snapshot();
    let Some(table) = &place.table else { return Ok(false) };
    if let Some(reason) = snapshot.misfit(table) {
        return Err(Error::ForeignTable { reason });
    }
    Ok(!differences(&snapshot, &table.objects).iter().any(can_be_put_right))
}

/// The versions of this crate's migrations.
pub(crate) struct Versions {
    pub(crate) pending: Vec<(String, &'static str)>,
    /// Whether a newer version of this crate has run migrations that this version does not know.
    pub(crate) is_newer: bool,
    pub(crate) are_all_pending: bool,
}

impl Versions {
    pub(crate) async fn find(conn: &mut impl Execute, place: &Place) -> Result<Self> {
        let applied = place.applied_versions(conn).await?;
        let known = known_versions()?;
        let is_newer = applied.iter().any(|version| !known.contains(version));
        let are_all_pending = applied.is_empty();
        let pending = known.into_iter().zip(MIGRATIONS).filter(|(version, _)| !applied.contains(version)).collect();
        Ok(Self { pending, is_newer, are_all_pending })
    }
}

/// Runs the pending migrations and puts back what is missing. The caller is in a transaction.
async fn put_in_order(conn: &mut impl Execute) -> Result<()> {
    // Two that create Diesel's table of versions at the same time would be in each other's way.
    conn.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let mut place = Place::find(conn).await?;
    let versions = Versions::find(conn, &place).await?;
    if versions.is_newer {
        return Ok(());
    }
    let Some(expected) = Expected::derive(conn).await? else {
        return match (versions.pending.is_empty(), place.schema()) {
            // Whether anything is missing cannot be known.
            (true, _) => Ok(()),
            (false, None) => Err(cannot_create(NO_SCHEMA.to_owned())),
            (false, Some(schema)) => {
                let reason = obstacle(conn, schema, false).await?;
                Err(cannot_create(reason.unwrap_or_else(|| READ_ONLY.to_owned())))
            }
        };
    };
    if versions.are_all_pending {
        overlook_other_tables(&mut place, &expected);
    }
    refuse_foreign_objects(conn, &place, &expected).await?;
    let Some(schema) = place.schema() else { return Err(cannot_create(NO_SCHEMA.to_owned())) };
    let is_broken = match &place.table {
        Some(table) => differences(&expected, &table.objects).iter().any(can_be_put_right),
        None => true,
    };
    if !is_broken && versions.pending.is_empty() {
        return Ok(());
    }
    let path = search_first(conn, schema).await?;
    if let Some(reason) = obstacle(conn, schema, place.table.is_some()).await? {
        return Err(cannot_create(reason));
    }
    if place.table.is_none() {
        for migration in MIGRATIONS {
            run_migration(conn, migration).await?;
        }
    }
    if place.versions.is_none() {
        conn.batch(CREATE_MIGRATIONS_TABLE).await?;
    }
    for (version, migration) in versions.pending {
        if place.table.is_some() {
            run_migration(conn, migration).await?;
        }
        let add = Sql::new("INSERT INTO __diesel_schema_migrations (version) VALUES (").bind(version).text(")");
        conn.execute(add.returning()).await?;
    }
    let objects = objects(conn, "activity_log").await?;
    put_right(conn, &differences(&expected, &objects)).await?;
    set_search_path(conn, &path).await?;
    Ok(())
}

async fn run_migration(conn: &mut impl Execute, migration: &str) -> Result<()> {
    let failure = |error| match Error::from(error) {
        Error::Database(error) => Error::Migration(Box::new(error)),
        other => other,
    };
    conn.batch(migration).await.map_err(failure)
}

const NO_SCHEMA: &str = "no schema of the search_path exists or may be used";

/// "activity" in ASCII: other programs should not lock this number.
pub(crate) const LOCK: i64 = i64::from_be_bytes(*b"activity");

/// Makes a schema the first one of the search path until the transaction ends, and returns the search path until now.
async fn search_first(conn: &mut impl Execute, schema: &str) -> QueryResult<String> {
    let paths = Sql::new("SELECT path, concat_ws(', ', quote_ident(").bind(schema.to_owned());
    let paths = paths.text("), nullif(path, '')) FROM (SELECT current_setting('search_path') AS path) AS setting");
    let (path, new) = conn.one::<(String, String), _>(paths.returning::<(Text, Text)>()).await?;
    set_search_path(conn, &new).await?;
    Ok(path)
}

async fn set_search_path(conn: &mut impl Execute, path: &str) -> QueryResult<String> {
    let set = Sql::new("SELECT set_config('search_path', ").bind(path.to_owned()).text(", true)");
    conn.one::<String, _>(set.returning::<Text>()).await
}
