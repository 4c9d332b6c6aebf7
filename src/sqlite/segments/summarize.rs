//! Computing summaries of segments.
//!
//! An insert trigger that kept them would triple the time of an insert. Recording therefore summarizes a segment once
//! the log has grown beyond it, whoever wrote its rows.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::error::Result;
use crate::schema::activity_log;
use crate::sqlite::extent::{newest_seq, oldest_seq};
use crate::sqlite::segments::extent::{SEGMENT_ROWS, segment_start, segments_exist, summarized_before};
use crate::sqlite::segments::schema::activity_log_segments;
use crate::sqlite::transaction::with_transaction;

/// How often recording checks for unsummarized segments, counted in `seq`.
const CHECK_INTERVAL: i64 = 256;
/// How many consecutive `seq` of each interval check: some may belong to other programs.
const CHECKING_ROWS: i64 = 4;
/// How many rows of other programs one record catches up on. It takes 25 to 50 ms.
const CATCH_UP_ROWS: i64 = 1 << 15;

/// Whether segments are to be summarized after `rows` rows were recorded, the last one as `last_seq`.
pub(crate) fn has_unsummarized(conn: &mut SqliteConnection, last_seq: i64, rows: usize) -> QueryResult<bool> {
    if last_seq.rem_euclid(CHECK_INTERVAL) >= CHECKING_ROWS.saturating_add(rows as i64 - 1) {
        return Ok(false);
    }
    // Recording needs no more than the first migration.
    if !segments_exist(conn)? {
        return Ok(false);
    }
    let start = segment_start(last_seq);
    if summarized_before(conn)? == Some(start) {
        return Ok(false);
    }
    let last_is_open = sql::<Bool>(LAST_SEGMENT_FROM).bind::<BigInt, _>(start).sql(", FALSE)");
    let has_rows = sql::<Bool>(UNSUMMARIZED_ROW_BEFORE).bind::<BigInt, _>(start).sql(")");
    diesel::select(last_is_open.or(has_rows)).get_result(conn)
}

/// Summarizes the segments that are complete, computes stale ones again, and drops those without rows, within a
/// transaction of the caller's. `rows` is how many rows the call is for.
pub(crate) fn summarize_new(conn: &mut SqliteConnection, rows: usize) -> QueryResult<()> {
    // Another connection may have recorded more, and summarized it, before the lock was free.
    let Some(newest) = newest_seq(conn)? else { return Ok(()) };
    drop_segments_without_rows(conn, newest)?;
    let limit = (CATCH_UP_ROWS + rows as i64) / SEGMENT_ROWS;
    let added = add_segments(conn, newest, limit)?;
    let stale = activity_log_segments::table
        .select(activity_log_segments::first_seq)
        .filter(activity_log_segments::stale.eq(STALE))
        .limit(limit - added)
        .load::<i64>(conn)?;
    stale.into_iter().try_for_each(|first| summarize_segment(conn, first))
}

/// Drops all segments: the log is about to be emptied.
pub(crate) fn drop_all_segments(conn: &mut SqliteConnection) -> QueryResult<()> {
    if segments_exist(conn)? { drop_segments(conn, i64::MIN, i64::MAX) } else { Ok(()) }
}

/// Computes all summaries of the log again. By them pages find their rows, and counts are added up.
///
/// The summaries follow whatever is recorded, deleted and updated, by any program. Call this function
///
/// - after rows were inserted with a chosen `seq` among older ones, as when restoring a backup, or after SQLite's sequence
///   was reset;
/// - after `INSERT OR REPLACE` deleted rows while `PRAGMA recursive_triggers` was off, when SQLite runs no delete trigger;
/// - now and then in a program that only reads what others write: [recording](crate::ActivityLogRepository::record)
///   summarizes new rows, and until then they are looked through one by one;
/// - to see why summarizing fails, if [`unsummarized`](crate::unsummarized) keeps growing.
///
/// It reads the whole log in one transaction, about two seconds per million entries.
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
/// [`Error::Busy`](crate::Error::Busy) if another connection holds the lock, [`Error::Full`](crate::Error::Full) if there
/// is no room, [`Error::Database`](crate::Error::Database) if the database fails otherwise. Nothing has changed then.
pub fn resummarize(conn: &mut SqliteConnection) -> Result<()> {
    with_transaction(conn, |conn| {
        drop_all_segments(conn)?;
        if let Some(newest) = newest_seq(conn)? {
            add_segments(conn, newest, i64::MAX)?;
        }
        Ok(())
    })
}

/// Summarizes segments between the last one and that of the newest row, which still grows; returns how many.
fn add_segments(conn: &mut SqliteConnection, newest: i64, limit: i64) -> QueryResult<i64> {
    let mut boundary = summarized_before(conn)?.unwrap_or(i64::MIN);
    for added in 0..limit {
        let next = activity_log::table.select(activity_log::seq).filter(activity_log::seq.ge(boundary));
        let next = next.order(activity_log::seq.asc()).first::<i64>(conn).optional()?;
        let Some(first) = next.map(segment_start).filter(|first| *first < segment_start(newest)) else {
            return Ok(added);
        };
        summarize_segment(conn, first)?;
        boundary = first.saturating_add(SEGMENT_ROWS);
    }
    Ok(limit)
}

fn summarize_segment(conn: &mut SqliteConnection, first: i64) -> QueryResult<()> {
    drop_segments(conn, first, first.saturating_add(1))?;
    [ADD_ACTORS, ADD_KINDS, ADD_SEGMENT, DROP_EMPTY_SEGMENT]
        .into_iter()
        .try_for_each(|statement| diesel::sql_query(statement).bind::<BigInt, _>(first).execute(conn).map(drop))
}

/// Drops the segments before the oldest row. It also drops those that begin with the newest row's: in a log whose numbers
/// began again, they describe numbers that are about to be given.
fn drop_segments_without_rows(conn: &mut SqliteConnection, newest: i64) -> QueryResult<()> {
    let oldest = oldest_seq(conn)?.unwrap_or(newest);
    drop_segments(conn, i64::MIN, segment_start(oldest))?;
    drop_segments(conn, segment_start(newest), i64::MAX)
}

/// Drops the segments that begin with a `seq` from `from` to before `to`.
fn drop_segments(conn: &mut SqliteConnection, from: i64, to: i64) -> QueryResult<()> {
    DROP_SEGMENTS.into_iter().try_for_each(|statement| {
        diesel::sql_query(statement).bind::<BigInt, _>(from).bind::<BigInt, _>(to).execute(conn).map(drop)
    })
}

/// The value of `stale` for a segment that is to be summarized again.
const STALE: i32 = 1;

const LAST_SEGMENT_FROM: &str = "coalesce((SELECT max(first_seq) FROM activity_log_segments) >= ";
const UNSUMMARIZED_ROW_BEFORE: &str = "EXISTS (SELECT 1 FROM activity_log \
    WHERE seq >= coalesce((SELECT max(first_seq) + 4096 FROM activity_log_segments), -9223372036854775808) AND seq < ";

const ADD_ACTORS: &str = "INSERT INTO activity_log_segment_actors (first_seq, actor, category, severity, entries) \
    SELECT ?1, actor, category, severity, count(*) FROM activity_log \
    WHERE seq BETWEEN ?1 AND ?1 + 4095 AND actor IS NOT NULL AND category IS NOT NULL AND severity IS NOT NULL \
    GROUP BY actor, category, severity";
const ADD_KINDS: &str = "INSERT INTO activity_log_segment_kinds (first_seq, category, severity, entries) \
    SELECT ?1, category, severity, sum(entries) FROM activity_log_segment_actors \
    WHERE first_seq = ?1 GROUP BY category, severity";
/// As in the migration, the rollups leave out rows with a NULL, so their segment is always looked through.
const ADD_SEGMENT: &str = "INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale) \
    SELECT ?1, count(*), coalesce(min(ts), ''), coalesce(max(ts), ''), \
        iif(total(actor IS NULL OR category IS NULL OR severity IS NULL), 2, 0) \
    FROM activity_log WHERE seq BETWEEN ?1 AND ?1 + 4095";
const DROP_EMPTY_SEGMENT: &str = "DELETE FROM activity_log_segments WHERE first_seq = ?1 AND entries = 0";

const DROP_SEGMENTS: [&str; 3] = [
    "DELETE FROM activity_log_segment_kinds WHERE first_seq >= ?1 AND first_seq < ?2",
    "DELETE FROM activity_log_segment_actors WHERE first_seq >= ?1 AND first_seq < ?2",
    "DELETE FROM activity_log_segments WHERE first_seq >= ?1 AND first_seq < ?2",
];
