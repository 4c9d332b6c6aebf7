use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::Error::DatabaseError;

use crate::error::Result;
use crate::error::sqlite::NESTED_TRANSACTION;

/// Whether the connection is inside a transaction, also one that was begun as SQL text.
pub(crate) fn is_in_transaction(conn: &mut SqliteConnection) -> QueryResult<bool> {
    Ok(is_in_diesels_transaction(conn)? || is_in_sqlites_transaction(conn)?)
}

/// Whether SQLite has a transaction under way. It may have ended one that Diesel still counts, as after a RAISE(ROLLBACK).
pub(crate) fn is_in_sqlites_transaction(conn: &mut SqliteConnection) -> QueryResult<bool> {
    // A deferred transaction takes no lock before it reads or writes.
    match conn.batch_execute("BEGIN DEFERRED") {
        Ok(()) => conn.batch_execute("END").map(|()| false),
        Err(error) if is_nested(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

fn is_in_diesels_transaction(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.is_some())
}

fn is_nested(error: &diesel::result::Error) -> bool {
    matches!(error, DatabaseError(_, information) if information.message() == NESTED_TRANSACTION)
}

/// Begins a transaction that takes the write lock at once.
pub(crate) fn begin_immediately(conn: &mut SqliteConnection) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
}

/// Runs `work` in a savepoint of the caller's transaction, or in a transaction that takes the write lock at once.
pub(crate) fn with_transaction<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    if is_in_diesels_transaction(conn)? {
        AnsiTransactionManager::begin_transaction(conn)?;
    } else {
        match begin_immediately(conn) {
            Err(error) if is_nested(&error) => return with_savepoint(conn, work),
            begun => begun?,
        }
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
    with_savepoint(conn, work)
}

/// Runs `work` in a savepoint that Diesel does not know. It begins a transaction if there is none, and joins one that was
/// begun as SQL text.
pub(crate) fn with_savepoint<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    conn.batch_execute("SAVEPOINT activity_log")?;
    match work(conn) {
        Ok(value) => {
            conn.batch_execute("RELEASE activity_log")?;
            Ok(value)
        }
        Err(error) => {
            // As above, this fails if SQLite has already rolled back.
            drop(conn.batch_execute("ROLLBACK TO activity_log; RELEASE activity_log"));
            Err(error)
        }
    }
}
