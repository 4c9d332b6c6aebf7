use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

use crate::error::Result;

/// Whether the connection is inside a transaction that was begun through Diesel.
pub(crate) fn is_in_transaction(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.is_some())
}

/// Runs `work` in a savepoint of the caller's transaction, or in a transaction that takes the write lock at once.
pub(crate) fn with_transaction<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    if is_in_transaction(conn)? {
        AnsiTransactionManager::begin_transaction(conn)?;
    } else {
        AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
    }
    match work(conn) {
        Ok(value) => {
            AnsiTransactionManager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => {
            // If SQLite has already rolled back, as on a full disk, this fails. Diesel's own `transaction` would return
            // that failure and hide the cause.
            drop(AnsiTransactionManager::rollback_transaction(conn));
            Err(error)
        }
    }
}

/// Runs `work`, which only reads, on the database as it is at one moment, whatever others write meanwhile.
pub(crate) fn with_read_transaction<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    // A savepoint begins a transaction if there is none, and joins one that Diesel knows nothing about.
    conn.batch_execute("SAVEPOINT activity_log_read")?;
    let outcome = work(conn);
    let released = conn.batch_execute("RELEASE activity_log_read");
    let value = outcome?;
    released?;
    Ok(value)
}
