//! Distributing the log among several servers by Citus, and the way back.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::prelude::QueryResult;
use diesel::result::Error::DatabaseError;
use diesel::sql_types::{Bool, Text};

use crate::error::{Error, Result};
use crate::postgres::catalog::place::Place;
use crate::postgres::distributed::is_distributed;
use crate::postgres::execute::Execute;
use crate::postgres::rollups::enable as rollups;
use crate::postgres::start_up::LOCK;
use crate::postgres::statement::Sql;
use crate::postgres::transaction::Transaction;
#[cfg(feature = "postgres")]
use crate::store::blocking::run;

/// Distributes the log among the workers of a Citus cluster, by the entries' ids. The entries that exist move there.
///
/// Call it on the coordinator, after [`run_migrations`](crate::postgres::run_migrations) and before the log is large. If the
/// log is distributed already, it only reads. Writers wait while it works, for about 10 seconds per million entries. The
/// number of shards is the connection's setting `citus.shard_count`.
///
/// [Rollups](crate::postgres::enable_rollups) are removed: Citus has no place for their triggers, and counts on all servers at
/// once. All methods of a repository then work as before, on the coordinator. [`in_postgresql`](crate::in_postgresql) says what
/// differs.
///
/// # Errors
///
/// [`Error::CannotCreate`] if the database does not have the extension, if there is no log, or if Citus refuses to distribute
/// it, for instance because a table of the host's has a foreign key to it; [`Error::Busy`] if a lock was not granted within
/// the connection's `lock_timeout`, [`Error::Full`] if there is no room. Nothing has changed then.
#[cfg(feature = "postgres")]
pub fn distribute(conn: &mut PgConnection) -> Result<()> {
    run(distribute_log(conn))
}

/// Makes a distributed log a table of one server again: the coordinator. The entries move there, and it needs room for them.
///
/// If the log is not distributed, it only reads. Writers wait while it works.
///
/// # Errors
///
/// Those of [`distribute`].
#[cfg(feature = "postgres")]
pub fn undistribute(conn: &mut PgConnection) -> Result<()> {
    run(undistribute_log(conn))
}

pub(crate) async fn distribute_log(conn: &mut impl Execute) -> Result<()> {
    change(conn, true, DISTRIBUTE).await
}

pub(crate) async fn undistribute_log(conn: &mut impl Execute) -> Result<()> {
    change(conn, false, "SELECT undistribute_table('activity_log')").await
}

/// The rows that are left on the coordinator would take room for nothing.
const DISTRIBUTE: &str = "\
    SELECT create_distributed_table('activity_log', 'id', colocate_with => 'none'); \
    SELECT truncate_local_data_after_distributing_table('activity_log')";

async fn change(conn: &mut impl Execute, to_distributed: bool, statements: &str) -> Result<()> {
    if Place::find(conn).await?.table.is_none() {
        return Err(cannot_create("there is no table `activity_log`; run the migrations first".to_owned()));
    }
    if is_as_wanted(conn, to_distributed).await? {
        return Ok(());
    }
    let transaction = Transaction::begin(conn).await?;
    let outcome = change_in_transaction(conn, to_distributed, statements).await;
    transaction.end(conn, outcome).await
}

async fn change_in_transaction(conn: &mut impl Execute, to_distributed: bool, statements: &str) -> Result<()> {
    conn.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    // Another process may have been faster.
    if is_as_wanted(conn, to_distributed).await? {
        return Ok(());
    }
    if !conn.one::<bool, _>(Sql::new(HAS_CITUS).returning::<Bool>()).await? {
        let reason = "the database does not have the extension citus; run CREATE EXTENSION citus on each server";
        return Err(cannot_create(reason.to_owned()));
    }
    if to_distributed {
        // Citus refuses their triggers.
        rollups::disable(conn).await?;
    }
    conn.batch(statements).await.map_err(refusal)
}

/// Whether nothing is to be done.
async fn is_as_wanted(conn: &mut impl Execute, to_distributed: bool) -> Result<bool> {
    if is_distributed(conn).await? != to_distributed {
        return Ok(false);
    }
    if !to_distributed {
        return Ok(true);
    }
    match distribution_column(conn).await?.as_deref() {
        Some("id") => Ok(true),
        Some(column) => {
            let reason = format!("it is distributed by `{column}`; undistribute it first");
            Err(cannot_create(reason))
        }
        // A reference table, or one that Citus manages on the coordinator alone.
        None => Ok(false),
    }
}

async fn distribution_column(conn: &mut impl Execute) -> QueryResult<Option<String>> {
    let column = Sql::new(
        "SELECT column_to_column_name(logicalrelid, partkey) FROM pg_dist_partition \
        WHERE logicalrelid = 'activity_log'::regclass AND partkey IS NOT NULL",
    );
    conn.first::<String, _>(column.returning::<Text>()).await
}

fn refusal(error: diesel::result::Error) -> Error {
    let reason = match &error {
        DatabaseError(_, information) => information.message().to_owned(),
        error => error.to_string(),
    };
    match Error::from(error) {
        Error::Database(_) => cannot_create(reason),
        other => other,
    }
}

fn cannot_create(reason: String) -> Error {
    Error::CannotCreate { what: "the distributed table `activity_log`".to_owned(), reason }
}

const HAS_CITUS: &str = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";
