//! Writing entries.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::{DatabaseError, NotFound};

use crate::error::{Error, Result};
use crate::model::encoding::Encoding;
use crate::model::entry::NewActivityLogEntry;
use crate::schema::activity_log;
use crate::sqlite::busy::{with_retry, without_busy_timeout};
use crate::sqlite::fragments::last_insert_rowid;
use crate::sqlite::new_row::NewActivityLogRow;
use crate::sqlite::transaction::{is_in_transaction, with_transaction};
use crate::sqlite::upkeep::{is_due, is_sampled, keep_up};

/// Writes one entry and returns its `seq`.
pub(crate) fn insert(conn: &mut SqliteConnection, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64> {
    with_retry(conn, |conn| insert_row(conn, entry, 0, encoding))?;
    let seq = diesel::select(last_insert_rowid()).get_result(conn)?;
    summarize_after(conn, seq, 1)?;
    Ok(seq)
}

/// Writes all entries in their order, or none.
pub(crate) fn insert_all(
    conn: &mut SqliteConnection,
    entries: &[NewActivityLogEntry],
    encoding: Encoding<'_>,
) -> Result<()> {
    let last_seq = with_retry(conn, |conn| {
        with_transaction(conn, |conn| {
            for (index, entry) in entries.iter().enumerate() {
                insert_row(conn, entry, index, encoding)?;
            }
            Ok(diesel::select(last_insert_rowid()).get_result(conn)?)
        })
    })?;
    summarize_after(conn, last_seq, entries.len())
}

/// Summarizes, if that is due, after `rows` rows were inserted, the last of them with `last_seq`.
///
/// The rows are recorded whatever happens here. After a failure, a later record summarizes, and `unsummarized` shows
/// the backlog. The failure is returned only if SQLite has rolled back the caller's transaction, rows included, or is
/// about to.
pub(crate) fn summarize_after(conn: &mut SqliteConnection, last_seq: i64, rows: usize) -> Result<()> {
    if !is_sampled(last_seq, rows) {
        return Ok(());
    }
    let in_callers_transaction = matches!(is_in_transaction(conn), Ok(true));
    match summarize_if_due(conn, last_seq, rows) {
        // Without room, SQLite rolls back the caller's transaction at the next opportunity.
        Err(error) if in_callers_transaction && (error.is_out_of_space() || !is_in_transaction(conn)?) => Err(error),
        _ => Ok(()),
    }
}

fn summarize_if_due(conn: &mut SqliteConnection, last_seq: i64, rows: usize) -> Result<()> {
    if !is_due(conn, last_seq)? {
        return Ok(());
    }
    // A record does not wait for the lock a second time.
    without_busy_timeout(conn, |conn, _| keep_up(conn, rows))
}

pub(crate) fn insert_row(
    conn: &mut SqliteConnection,
    entry: &NewActivityLogEntry,
    index: usize,
    encoding: Encoding<'_>,
) -> Result<()> {
    let row = NewActivityLogRow::from(encoding.encode(entry, index)?);
    match diesel::insert_into(activity_log::table).values(row).execute(conn) {
        // A trigger of the host's may drop the row without an error.
        Ok(0) => Err(NotFound.into()),
        Ok(_) => Ok(()),
        Err(DatabaseError(UniqueViolation, violation)) if violation.message().ends_with(" activity_log.id") => {
            Err(Error::DuplicateId { index })
        }
        Err(error) => Err(error.into()),
    }
}
