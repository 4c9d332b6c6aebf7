//! Adding and removing the rollups.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::sql_types::Text;

use crate::error::{Error, Result};
use crate::postgres::catalog::place::Place;
use crate::postgres::catalog::repair::obstacle;
use crate::postgres::distributed::is_distributed;
use crate::postgres::execute::Execute;
use crate::postgres::rollups::condition::Condition;
use crate::postgres::rollups::definition::Names;
use crate::postgres::rollups::upkeep;
use crate::postgres::start_up::LOCK;
use crate::postgres::statement::Sql;
use crate::postgres::transaction::{Transaction, is_read_only};
#[cfg(feature = "postgres")]
use crate::store::blocking::run;

/// Adds rollups, which count entries in advance: `count`, `facets` and `histogram` then read a few rows for each 16,384
/// entries, and return the same numbers as without them.
///
/// Call it at every start-up after [`run_migrations`](crate::postgres::run_migrations). If the rollups exist and are whole, it
/// only summarizes what is due. Otherwise it adds them anew, for which readers and writers wait for a moment, and summarizes
/// all entries in short transactions, for which nobody waits: some seconds per million entries. Inside a transaction of the
/// caller's, it leaves that to [`summarize`](crate::postgres::summarize) and to recording.
///
/// Triggers on the table note which blocks of entries change, whatever program changes them. Recording, retention and
/// `rewrite` summarize blocks that are due. A program that records only inside transactions calls
/// [`summarize`](crate::postgres::summarize) now and then.
///
/// ```no_run
/// use activity_log::postgres::{enable_rollups, run_migrations};
/// use diesel::prelude::*;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = PgConnection::establish("postgres://localhost/server")?;
/// run_migrations(&mut conn)?;
/// enable_rollups(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::CannotCreate`] if the connection's role does not own the table or may not create tables in its schema, if the
/// connection is read-only, or if the table is partitioned, inherits or is distributed; [`Error::NameTaken`] if the schema has something else
/// with a name of the rollups; [`Error::Busy`] if a lock was not granted within the connection's `lock_timeout`,
/// [`Error::Full`] if there is no room, [`Error::Database`] if the database fails otherwise.
#[cfg(feature = "postgres")]
pub fn enable_rollups(conn: &mut PgConnection) -> Result<()> {
    run(enable(conn))
}

/// Removes the rollups that [`enable_rollups`] added, if they exist.
///
/// # Errors
///
/// Those of [`enable_rollups`].
#[cfg(feature = "postgres")]
pub fn disable_rollups(conn: &mut PgConnection) -> Result<()> {
    run(disable(conn))
}

pub(crate) async fn enable(conn: &mut impl Execute) -> Result<()> {
    if !is_whole(conn).await? {
        let transaction = Transaction::begin(conn).await?;
        let outcome = enable_in_transaction(conn).await;
        transaction.end(conn, outcome).await?;
    }
    upkeep::catch_up(conn).await
}

pub(crate) async fn disable(conn: &mut impl Execute) -> Result<()> {
    let Some(schema) = log_schema(conn).await? else { return Ok(()) };
    if Condition::find(conn, &schema).await?.is_absent() {
        return Ok(());
    }
    let transaction = Transaction::begin(conn).await?;
    let outcome = disable_in_transaction(conn, &schema).await;
    transaction.end(conn, outcome).await
}

async fn is_whole(conn: &mut impl Execute) -> Result<bool> {
    let Some(schema) = log_schema(conn).await? else { return Ok(false) };
    Ok(Condition::find(conn, &schema).await?.is_whole())
}

/// The schema of the log, if there is one.
async fn log_schema(conn: &mut impl Execute) -> Result<Option<String>> {
    Ok(Place::find(conn).await?.table.map(|table| table.schema))
}

async fn enable_in_transaction(conn: &mut impl Execute) -> Result<()> {
    if is_read_only(conn).await? {
        return Err(cannot_create("the connection is read-only".to_owned()));
    }
    conn.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let Some(schema) = log_schema(conn).await? else {
        return Err(cannot_create("there is no table `activity_log`; run the migrations first".to_owned()));
    };
    // Another process may have been faster.
    if Condition::find(conn, &schema).await?.is_whole() {
        return Ok(());
    }
    if let Some(reason) = obstacle(conn, &schema, true).await? {
        return Err(cannot_create(reason));
    }
    let kind = conn.one::<String, _>(Sql::new(TABLE_KIND).returning::<Text>()).await?;
    if is_distributed(conn).await? {
        return Err(cannot_create("the log is distributed, and Citus has no place for their triggers".to_owned()));
    }
    if kind != "plain" {
        return Err(cannot_create(format!(
            "the table `activity_log` is {kind}, and rows may change without its triggers"
        )));
    }
    let names = Names::of_schema(conn, &schema).await?;
    lock(conn, &names).await?;
    conn.batch(&names.drop()).await?;
    Ok(conn.batch(&names.create()).await?)
}

async fn disable_in_transaction(conn: &mut impl Execute, schema: &str) -> Result<()> {
    conn.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    if let Some(reason) = obstacle(conn, schema, true).await? {
        return Err(cannot_create(reason));
    }
    let names = Names::of_schema(conn, schema).await?;
    lock(conn, &names).await?;
    Ok(conn.batch(&names.drop()).await?)
}

/// Locks the log before anything else, as whoever changes it does, whose triggers then write marks: the other way round,
/// they would wait for each other.
async fn lock(conn: &mut impl Execute, names: &Names) -> Result<()> {
    Ok(conn.batch(&format!("LOCK TABLE {}.activity_log IN ACCESS EXCLUSIVE MODE", names.schema)).await?)
}

fn cannot_create(reason: String) -> Error {
    Error::CannotCreate { what: "the rollups of the table `activity_log`".to_owned(), reason }
}

const TABLE_KIND: &str = "\
    SELECT CASE WHEN relkind <> 'r' THEN 'partitioned' \
        WHEN EXISTS (SELECT 1 FROM pg_inherits WHERE pg_class.oid IN (inhrelid, inhparent)) THEN 'inherited' \
        ELSE 'plain' END \
    FROM pg_class WHERE oid = 'activity_log'::regclass";
