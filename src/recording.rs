//! Writing entries.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::{DatabaseError, NotFound};

use crate::row::{Encoding, NewRow};
use crate::schema::activity_log;
use crate::sqlite::{in_one_transaction, in_transaction, last_insert_rowid, persistently, without_waiting};
use crate::{Error, NewActivityLogEntry, Result, closing};

/// Writes one entry and returns its `seq`.
pub(crate) fn record(conn: &mut SqliteConnection, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64> {
    persistently(conn, |conn| insert(conn, entry, 0, encoding))?;
    let seq = diesel::select(last_insert_rowid()).get_result(conn)?;
    let in_callers = in_transaction(conn)?;
    let closed = match closing::is_due(conn, seq, 1) {
        Ok(true) => without_waiting(conn, |conn, _| in_one_transaction(conn, |conn| closing::close(conn, 1))),
        due => due.map(drop),
    };
    match closed {
        // SQLite may have rolled back the caller's transaction, entry and all, as where there was no room.
        Err(error) if in_callers && (error.may_be_for_want_of_room() || !in_transaction(conn)?) => Err(error),
        // The entry has been recorded; what failed otherwise is made up for with a later one.
        _ => Ok(seq),
    }
}

/// Writes all the entries, in their order, or none; returns how many.
pub(crate) fn record_all(
    conn: &mut SqliteConnection,
    entries: &[NewActivityLogEntry],
    encoding: Encoding<'_>,
) -> Result<usize> {
    if !entries.is_empty() {
        persistently(conn, |conn| insert_all(conn, entries, encoding))?;
    }
    Ok(entries.len())
}

fn insert(
    conn: &mut SqliteConnection,
    entry: &NewActivityLogEntry,
    index: usize,
    encoding: Encoding<'_>,
) -> Result<()> {
    let row = NewRow::encode(entry, index, encoding)?;
    match diesel::insert_into(activity_log::table).values(row).execute(conn) {
        // A trigger of the host's may ignore the row without an error.
        Ok(0) => Err(NotFound.into()),
        Ok(_) => Ok(()),
        Err(DatabaseError(UniqueViolation, violation)) if violation.message().ends_with(" activity_log.id") => {
            Err(Error::DuplicateId { index })
        }
        Err(error) => Err(error.into()),
    }
}

fn insert_all(conn: &mut SqliteConnection, entries: &[NewActivityLogEntry], encoding: Encoding<'_>) -> Result<()> {
    in_one_transaction(conn, |conn| {
        for (index, entry) in entries.iter().enumerate() {
            insert(conn, entry, index, encoding)?;
        }
        close_after(conn, entries.len())
    })
}

fn close_after(conn: &mut SqliteConnection, rows: usize) -> Result<()> {
    let seq = diesel::select(last_insert_rowid()).get_result(conn)?;
    if closing::is_due(conn, seq, rows)? { closing::close(conn, rows) } else { Ok(()) }
}
