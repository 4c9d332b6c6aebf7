//! Adding to the summaries of the log what recording has gone beyond.
//!
//! An insert trigger that kept them would triple the time of an insert. So they are written a part at a time, some
//! thousand consecutive `seq`; the rows after the last part are open, and looked at one by one.

use diesel::dsl::{max, min};
use diesel::prelude::*;

use crate::Result;
use crate::blocks::Blocks;
use crate::chapters::Chapters;
use crate::schema::activity_log;
use crate::sqlite::{has, in_one_transaction};

/// How many of a part's first rows look whether the one before it is complete: another program may have written some.
const LOOKING_ROWS: i64 = 4;
/// How many rows of other writers one record catches up on, in about 25 ms, or twice that with very many actors.
const CATCH_UP_ROWS: i64 = 1 << 15;

/// A summary of the log, part by part.
pub(crate) trait Summary {
    /// The table with a row for each part.
    const PARTS: &'static str;
    /// How many consecutive `seq` a part has.
    const ROWS: i64;

    /// The last `seq` of the part that begins with this one.
    fn last_of(first_seq: i64) -> i64 {
        first_seq.saturating_add(Self::ROWS - 1)
    }

    /// The last `seq` of the last part.
    fn last_closed(conn: &mut SqliteConnection) -> QueryResult<Option<i64>>;

    /// Adds the part of these `seq`, of which there is at least one.
    fn add(conn: &mut SqliteConnection, first_seq: i64, last_seq: i64) -> QueryResult<()>;

    /// Drops the parts whose rows are gone.
    fn drop_gone(conn: &mut SqliteConnection) -> QueryResult<()>;

    /// Drops all parts.
    fn clear(conn: &mut SqliteConnection) -> QueryResult<()>;
}

/// Whether there may be parts to be added, `rows` rows having been recorded of which `last_seq` is the last.
pub(crate) fn is_due(conn: &mut SqliteConnection, last_seq: i64, rows: usize) -> Result<bool> {
    Ok(lacks_parts::<Blocks>(conn, last_seq, rows)? || lacks_parts::<Chapters>(conn, last_seq, rows)?)
}

/// Adds the parts that are complete, and drops those whose rows are gone; in a transaction of the caller's. The last
/// `rows` rows are the ones that it is called for: no part can speak of them yet.
pub(crate) fn close(conn: &mut SqliteConnection, rows: usize) -> Result<()> {
    // Another connection may have recorded more, and have closed, until the lock was there.
    let Some(newest) = newest(conn)? else { return Ok(()) };
    close_parts::<Blocks>(conn, newest, rows)?;
    close_parts::<Chapters>(conn, newest, rows)
}

/// Drops all parts of all summaries: the log is about to be emptied.
pub(crate) fn clear(conn: &mut SqliteConnection) -> QueryResult<()> {
    clear_parts::<Blocks>(conn)?;
    clear_parts::<Chapters>(conn)
}

/// Makes the summaries of the log anew: what they hold of times, categories, severities and actors, by which pages find
/// their rows and counts are added up.
///
/// They keep up by themselves with what is recorded, deleted and corrected, whatever program does so. This is to be called
///
/// - after rows were inserted with a `seq` of somebody's own choice among older ones, as from a backup, or the numbers were
///   made to begin anew;
/// - after SQLite deleted rows without running triggers, as `INSERT OR REPLACE` and `UPDATE OR REPLACE` do where
///   `PRAGMA recursive_triggers` is off;
/// - now and then by a program that only reads what others write: rows are added to the summaries by
///   [recording](crate::ActivityLogRepository::record), and until then counted and looked through one by one.
///
/// It reads the whole log in one transaction, about two seconds for each million entries.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// activity_log::resummarize(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Busy`](crate::Error::Busy) when the lock cannot be had, [`Error::Full`](crate::Error::Full) when there is
/// no room, [`Error::Database`](crate::Error::Database) when the database fails otherwise; nothing has changed then.
pub fn resummarize(conn: &mut SqliteConnection) -> Result<()> {
    in_one_transaction(conn, |conn| {
        clear(conn)?;
        newest(conn)?.map_or(Ok(()), |newest| {
            add_parts::<Blocks>(conn, newest, i64::MAX)?;
            Ok(add_parts::<Chapters>(conn, newest, i64::MAX)?)
        })
    })
}

fn newest(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    activity_log::table.select(max(activity_log::seq)).get_result(conn)
}

fn clear_parts<S: Summary>(conn: &mut SqliteConnection) -> QueryResult<()> {
    if has(conn, S::PARTS)? { S::clear(conn) } else { Ok(()) }
}

/// Whether a part may be missing before the one that `last_seq` is in.
fn lacks_parts<S: Summary>(conn: &mut SqliteConnection, last_seq: i64, rows: usize) -> Result<bool> {
    if last_seq.rem_euclid(S::ROWS) >= LOOKING_ROWS.saturating_add(rows as i64 - 1) {
        return Ok(false);
    }
    // Recording needs no more than the first migration.
    Ok(has(conn, S::PARTS)? && S::last_closed(conn)? != Some(complete_before::<S>(last_seq) - 1))
}

fn close_parts<S: Summary>(conn: &mut SqliteConnection, newest: i64, rows: usize) -> Result<()> {
    if !has(conn, S::PARTS)? {
        return Ok(());
    }
    let closed = S::last_closed(conn)?;
    if closed == Some(complete_before::<S>(newest) - 1) {
        return Ok(());
    }
    // They speak of numbers that have only now been given, in a log that was emptied and made to begin anew.
    if closed.is_some_and(|closed| closed > newest.saturating_sub(rows as i64)) {
        S::clear(conn)?;
    } else {
        S::drop_gone(conn)?;
    }
    Ok(add_parts::<S>(conn, newest, (CATCH_UP_ROWS + rows as i64) / S::ROWS)?)
}

/// Adds the parts before the one that `last_seq` is in, which still grows; so many at most.
fn add_parts<S: Summary>(conn: &mut SqliteConnection, last_seq: i64, most: i64) -> QueryResult<()> {
    let mut closed = S::last_closed(conn)?;
    for _ in 0..most {
        let mut open = activity_log::table.select(min(activity_log::seq)).into_boxed();
        if let Some(closed) = closed {
            open = open.filter(activity_log::seq.gt(closed));
        }
        let Some(seq) = open.get_result::<Option<i64>>(conn)? else { break };
        let first = seq - seq.rem_euclid(S::ROWS);
        if first >= complete_before::<S>(last_seq) {
            break;
        }
        let last = S::last_of(first);
        S::add(conn, first, last)?;
        closed = Some(last);
    }
    Ok(())
}

/// Where the part begins that `last_seq` is in.
fn complete_before<S: Summary>(last_seq: i64) -> i64 {
    last_seq - last_seq.rem_euclid(S::ROWS)
}
