//! Writing entries.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::{DatabaseError, NotFound, RollbackTransaction};

use crate::row::{Encoding, NewRow};
use crate::schema::activity_log;
use crate::sqlite::{in_transaction, last_insert_rowid, persistently, without_waiting};
use crate::{Error, NewActivityLogEntry, Result, blocks};

/// Writes one entry and returns its `seq`.
pub(crate) fn record(conn: &mut SqliteConnection, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64> {
    persistently(conn, |conn| insert(conn, entry, 0, encoding))?;
    let seq = diesel::select(last_insert_rowid()).get_result(conn)?;
    if blocks::may_be_due(seq, 1) {
        match without_waiting(conn, |conn, _| blocks::close(conn, seq, 1)) {
            // Where there was no room, SQLite may have rolled back the caller's transaction, entry and all.
            Err(error) if in_transaction(conn)? && error.may_be_for_want_of_room() => return Err(error),
            // The entry has been recorded; what failed otherwise is made up for with a later one.
            _ => {}
        }
    }
    Ok(seq)
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
    let mut failure = None;
    let outcome = conn.transaction(|conn| {
        let mut all = entries.iter().enumerate();
        all.try_for_each(|(index, entry)| insert(conn, entry, index, encoding))
            .and_then(|()| close_blocks_after(conn, entries.len()))
            .map_err(|error| {
                failure = Some(error);
                RollbackTransaction
            })
    });
    // Where SQLite has rolled back by itself, as on a full disk, `outcome` says only that Diesel no longer could.
    match failure {
        Some(error) => Err(error),
        None => Ok(outcome?),
    }
}

fn close_blocks_after(conn: &mut SqliteConnection, rows: usize) -> Result<()> {
    let seq = diesel::select(last_insert_rowid()).get_result(conn)?;
    if blocks::may_be_due(seq, rows) { blocks::close(conn, seq, rows) } else { Ok(()) }
}
