//! Removing every trace of texts that are no longer in the log from the database's file.
//!
//! SQLite leaves a text that was changed or deleted in its file until something else needs the room: in free pages, in the
//! free parts of pages, and in its write-ahead log. The summaries, the search index and the statistics have copies.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::busy::{retry_while_busy, without_busy_timeout};
use crate::sqlite::catalog::object::object_exists;
use crate::sqlite::pragma::{checkpoint_fully, secure_delete, set_secure_delete};
use crate::sqlite::search::fill;
use crate::sqlite::search::index::{create_index, drop_index, is_enabled};
use crate::sqlite::segments::extent::segments_exist;
use crate::sqlite::segments::summarize::{forget_rollups, stale_segments, summarize_segment};
use crate::sqlite::throttle::in_throttled_batches;
use crate::sqlite::transaction::{is_in_transaction, with_transaction};

/// Runs `work` while SQLite overwrites with zeros whatever this connection deletes or changes.
pub(crate) fn with_secure_delete<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let before = secure_delete(conn)?;
    set_secure_delete(conn, 1)?;
    let outcome = work(conn);
    let restored = set_secure_delete(conn, before);
    let value = outcome?;
    restored?;
    Ok(value)
}

/// Makes what has copies of texts again and rewrites the file without what is free in it, if `vacuum` says so. It runs [with
/// secure delete](with_secure_delete).
pub(crate) fn erase_traces(conn: &mut SqliteConnection, vacuum: bool) -> Result<()> {
    let in_callers_transaction = is_in_transaction(conn)?;
    with_retry(conn, forget_copies)?;
    if in_callers_transaction {
        while summarize_some(conn, i64::MAX)? || fill_some(conn, i64::MAX)? {}
        return Ok(());
    }
    in_throttled_batches(conn, 1, |conn, _| summarize_some(conn, 1))?;
    in_throttled_batches(conn, 1, |conn, _| fill_some(conn, 1))?;
    if vacuum {
        with_retry(conn, |conn| Ok(conn.batch_execute("VACUUM main")?))?;
    }
    with_retry(conn, |conn| Ok(checkpoint_fully(conn)?))
}

/// Nobody waits for this work, which may find the lock taken for long.
fn with_retry<T>(
    conn: &mut SqliteConnection,
    mut attempt: impl FnMut(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    if is_in_transaction(conn)? {
        return attempt(conn);
    }
    without_busy_timeout(conn, |conn, busy_timeout| retry_while_busy(busy_timeout, || attempt(conn)))
}

/// Drops the rollups, the search index and the statistics. Reading does without them, until they are there again.
fn forget_copies(conn: &mut SqliteConnection) -> Result<()> {
    with_transaction(conn, |conn| {
        if segments_exist(conn)? {
            forget_rollups(conn)?;
        }
        if is_enabled(conn)? {
            drop_index(conn)?;
            create_index(conn)?;
            fill::forget(conn)?;
        }
        // Only some builds of SQLite have it. It quotes rows.
        if object_exists(conn, "sqlite_stat4")? {
            conn.batch_execute("DELETE FROM sqlite_stat4 WHERE tbl LIKE 'activity\\_log%' ESCAPE '\\'")?;
        }
        Ok(())
    })
}

/// Summarizes up to `limit` segments again, and returns whether there are more.
fn summarize_some(conn: &mut SqliteConnection, limit: i64) -> Result<bool> {
    if !segments_exist(conn)? {
        return Ok(false);
    }
    with_transaction(conn, |conn| {
        let stale = stale_segments(conn, limit)?;
        stale.iter().try_for_each(|first| summarize_segment(conn, *first))?;
        Ok(!stale.is_empty())
    })
}

/// Adds up to `limit` segments to the search index, and returns whether there are more.
fn fill_some(conn: &mut SqliteConnection, limit: i64) -> Result<bool> {
    if !segments_exist(conn)? || !fill::is_due(conn)? {
        return Ok(false);
    }
    with_transaction(conn, |conn| Ok(fill::add_some(conn, limit)?))?;
    Ok(fill::is_due(conn)?)
}
