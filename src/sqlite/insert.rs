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
use crate::sqlite::row::NewRow;
use crate::sqlite::segments::summarize::{has_unsummarized, summarize_new};
use crate::sqlite::transaction::{is_in_transaction, with_transaction};

/// Writes one entry and returns its `seq`.
pub(crate) fn insert(conn: &mut SqliteConnection, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64> {
    with_retry(conn, |conn| insert_row(conn, entry, 0, encoding))?;
    let seq = diesel::select(last_insert_rowid()).get_result(conn)?;
    let in_callers_transaction = is_in_transaction(conn)?;
    match summarize_after(conn, seq) {
        // SQLite may have rolled back the caller's transaction, entry included, as it does without room.
        Err(error) if in_callers_transaction && (error.is_out_of_space() || !is_in_transaction(conn)?) => Err(error),
        // The entry is recorded. After a failure, a later entry summarizes, and `unsummarized` shows the backlog.
        _ => Ok(seq),
    }
}

fn summarize_after(conn: &mut SqliteConnection, seq: i64) -> Result<()> {
    if !has_unsummarized(conn, seq, 1)? {
        return Ok(());
    }
    // A record does not wait for the lock a second time.
    without_busy_timeout(conn, |conn, _| with_transaction(conn, |conn| Ok(summarize_new(conn, 1)?)))
}

/// Writes all entries in their order, or none.
pub(crate) fn insert_all(
    conn: &mut SqliteConnection,
    entries: &[NewActivityLogEntry],
    encoding: Encoding<'_>,
) -> Result<()> {
    with_retry(conn, |conn| {
        with_transaction(conn, |conn| {
            for (index, entry) in entries.iter().enumerate() {
                insert_row(conn, entry, index, encoding)?;
            }
            let last_seq = diesel::select(last_insert_rowid()).get_result(conn)?;
            if has_unsummarized(conn, last_seq, entries.len())? {
                summarize_new(conn, entries.len())?;
            }
            Ok(())
        })
    })
}

fn insert_row(
    conn: &mut SqliteConnection,
    entry: &NewActivityLogEntry,
    index: usize,
    encoding: Encoding<'_>,
) -> Result<()> {
    let row = NewRow::from(encoding.encode(entry, index)?);
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
