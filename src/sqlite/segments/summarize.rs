//! Computing summaries of segments.
//!
//! An insert trigger that kept them would triple the time of an insert. Start-up and recording therefore summarize a segment
//! once the log has grown beyond it, whoever wrote its rows.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::thread::sleep;
use std::time::Instant;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::error::Result;
use crate::schema::activity_log;
use crate::sqlite::busy::{retry_while_busy, without_busy_timeout};
use crate::sqlite::extent::oldest_seq;
use crate::sqlite::segments::extent::{
    SEGMENT_ROWS, growing_segment, segment_start, segments_exist, summarized_before,
};
use crate::sqlite::segments::schema::activity_log_segments;
use crate::sqlite::transaction::{is_in_transaction, with_transaction};

/// One in how many records checks whether summarizing is due. A check takes a tenth of a record's time.
const RECORDS_PER_CHECK: u64 = 32;
/// How many segments of rows that other programs wrote one call summarizes. It takes 25 to 50 ms.
const MAX_NEW_SEGMENTS: i64 = 8;
/// How many stale segments one call summarizes again.
const MAX_STALE_SEGMENTS: i64 = 2;

/// Whether these rows, the last one recorded as `last_seq`, check at all if summarizing is due: where a segment begins, and now
/// and then. The choice looks random, because other programs may write in any rhythm.
pub(crate) fn is_sampled(last_seq: i64, rows: usize) -> bool {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(last_seq);
    last_seq.rem_euclid(SEGMENT_ROWS) < rows as i64 || hash % RECORDS_PER_CHECK < rows as u64
}

/// Whether summarizing is due after a row was recorded as `last_seq`.
pub(crate) fn is_due(conn: &mut SqliteConnection, last_seq: i64) -> QueryResult<bool> {
    // Recording needs no more than the first migration.
    Ok(segments_exist(conn)? && is_behind(conn, segment_start(last_seq))?)
}

/// Whether segments before the growing one are to be added, segments after it to be dropped, or more segments are stale than
/// a count should look through.
fn is_behind(conn: &mut SqliteConnection, growing: i64) -> QueryResult<bool> {
    let boundary = summarized_before(conn)?;
    if boundary != Some(growing) {
        let after = boundary.map_or(i64::MIN, |boundary| boundary.saturating_sub(1));
        let rows = activity_log::table.filter(activity_log::seq.gt(after)).filter(activity_log::seq.lt(growing));
        if boundary > Some(growing) || diesel::select(diesel::dsl::exists(rows)).get_result(conn)? {
            return Ok(true);
        }
    }
    diesel::select(sql::<Bool>(MANY_ARE_STALE)).get_result(conn)
}

/// Summarizes segments that are complete and not summarized, some of the stale ones again, and drops those without rows,
/// within a transaction of the caller's. `rows` is how many rows the call is for.
pub(crate) fn summarize_some(conn: &mut SqliteConnection, rows: usize) -> QueryResult<()> {
    // Another connection may have recorded more, and summarized it, before the lock was free.
    let Some(growing) = growing_segment(conn)? else { return Ok(()) };
    drop_segments_without_rows(conn, growing)?;
    let segments = rows as i64 / SEGMENT_ROWS;
    add_segments(conn, growing, segments.saturating_add(MAX_NEW_SEGMENTS))?;
    let stale = activity_log_segments::table
        .select(activity_log_segments::first_seq)
        .filter(activity_log_segments::stale)
        .limit(segments.saturating_add(MAX_STALE_SEGMENTS))
        .load::<i64>(conn)?;
    stale.into_iter().try_for_each(|first| summarize_segment(conn, first))
}

/// Summarizes all that recording would summarize later, in short transactions with pauses for other writers.
///
/// A failure leaves the log as right as it was and is no reason not to start: recording tries again, and `unsummarized`
/// shows the backlog. A caller's transaction is left alone, because it would keep the lock throughout.
pub(crate) fn catch_up(conn: &mut SqliteConnection) -> Result<()> {
    if is_in_transaction(conn)? || !backlog(conn)?.is_due {
        return Ok(());
    }
    let outcome = without_busy_timeout(conn, |conn, busy_timeout| {
        loop {
            let before = backlog(conn)?;
            let mut started = Instant::now();
            retry_while_busy(busy_timeout, || {
                started = Instant::now();
                with_transaction(conn, |conn| Ok(summarize_some(conn, 0)?))
            })?;
            let after = backlog(conn)?;
            // Another program may change rows as fast as this one summarizes them.
            if !after.is_due || !after.is_shorter_than(&before) {
                return Ok(());
            }
            sleep(started.elapsed());
        }
    });
    drop::<Result<()>>(outcome);
    Ok(())
}

/// What is left to summarize.
struct Backlog {
    is_due: bool,
    boundary: Option<i64>,
    stale: i64,
}

impl Backlog {
    fn is_shorter_than(&self, other: &Self) -> bool {
        self.boundary > other.boundary || (self.boundary == other.boundary && self.stale < other.stale)
    }
}

fn backlog(conn: &mut SqliteConnection) -> QueryResult<Backlog> {
    let is_due = match growing_segment(conn)? {
        Some(growing) => is_behind(conn, growing)?,
        None => false,
    };
    let stale = activity_log_segments::table.filter(activity_log_segments::stale).count().get_result(conn)?;
    Ok(Backlog { is_due, boundary: summarized_before(conn)?, stale })
}

/// Drops all segments: the log is about to be emptied.
pub(crate) fn drop_all_segments(conn: &mut SqliteConnection) -> QueryResult<()> {
    if segments_exist(conn)? { drop_segments(conn, i64::MIN, i64::MAX) } else { Ok(()) }
}

/// Computes all summaries again, within a transaction of the caller's.
pub(crate) fn summarize_all(conn: &mut SqliteConnection) -> QueryResult<()> {
    drop_all_segments(conn)?;
    match growing_segment(conn)? {
        Some(growing) => add_segments(conn, growing, i64::MAX),
        None => Ok(()),
    }
}

/// Whether a segment has lost its rollups, as when their tables were left out of a backup.
pub(crate) fn rollups_are_missing(conn: &mut SqliteConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(SEGMENT_WITHOUT_ROLLUPS)).get_result(conn)
}

/// Summarizes up to `limit` segments between the last one and the growing one.
fn add_segments(conn: &mut SqliteConnection, growing: i64, limit: i64) -> QueryResult<()> {
    let mut boundary = summarized_before(conn)?.unwrap_or(i64::MIN);
    for _ in 0..limit {
        let next = activity_log::table.select(activity_log::seq).filter(activity_log::seq.ge(boundary));
        let next = next.order(activity_log::seq.asc()).first::<i64>(conn).optional()?;
        let Some(first) = next.map(segment_start).filter(|first| *first < growing) else { break };
        summarize_segment(conn, first)?;
        boundary = first.saturating_add(SEGMENT_ROWS);
    }
    Ok(())
}

fn summarize_segment(conn: &mut SqliteConnection, first: i64) -> QueryResult<()> {
    drop_segments(conn, first, first.saturating_add(1))?;
    [ADD_ACTORS, ADD_KINDS, ADD_SEGMENT, DROP_EMPTY_SEGMENT]
        .into_iter()
        .try_for_each(|statement| diesel::sql_query(statement).bind::<BigInt, _>(first).execute(conn).map(drop))
}

/// Drops the segments before the oldest row. It also drops those from the growing one on: in a log whose numbers began again,
/// they describe numbers that are about to be given.
fn drop_segments_without_rows(conn: &mut SqliteConnection, growing: i64) -> QueryResult<()> {
    let oldest = oldest_seq(conn)?.unwrap_or(growing);
    drop_segments(conn, i64::MIN, segment_start(oldest))?;
    drop_segments(conn, growing, i64::MAX)
}

/// Drops the segments that begin with a `seq` from `from` to before `to`.
fn drop_segments(conn: &mut SqliteConnection, from: i64, to: i64) -> QueryResult<()> {
    DROP_SEGMENTS.into_iter().try_for_each(|statement| {
        diesel::sql_query(statement).bind::<BigInt, _>(from).bind::<BigInt, _>(to).execute(conn).map(drop)
    })
}

/// A count looks through up to four segments in half a millisecond.
const MANY_ARE_STALE: &str = "EXISTS (SELECT 1 FROM activity_log_segments WHERE stale LIMIT 1 OFFSET 4)";

const SEGMENT_WITHOUT_ROLLUPS: &str = "EXISTS (SELECT 1 FROM activity_log_segments AS segment \
    WHERE entries > 0 AND NOT has_null AND NOT ( \
        EXISTS (SELECT 1 FROM activity_log_segment_kinds WHERE first_seq = segment.first_seq) \
        AND EXISTS (SELECT 1 FROM activity_log_segment_actors WHERE first_seq = segment.first_seq)))";

const ADD_ACTORS: &str = "INSERT INTO activity_log_segment_actors (first_seq, actor, category, severity, entries) \
    SELECT ?1, actor, category, severity, count(*) FROM activity_log \
    WHERE seq BETWEEN ?1 AND ?1 + 4095 AND actor IS NOT NULL AND category IS NOT NULL AND severity IS NOT NULL \
    GROUP BY actor, category, severity";
const ADD_KINDS: &str = "INSERT INTO activity_log_segment_kinds (first_seq, category, severity, entries) \
    SELECT ?1, category, severity, sum(entries) FROM activity_log_segment_actors \
    WHERE first_seq = ?1 GROUP BY category, severity";
const ADD_SEGMENT: &str = "INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale, has_null) \
    SELECT ?1, count(*), coalesce(min(ts), ''), coalesce(max(ts), ''), FALSE, \
        total(actor IS NULL OR category IS NULL OR severity IS NULL) > 0 \
    FROM activity_log WHERE seq BETWEEN ?1 AND ?1 + 4095";
const DROP_EMPTY_SEGMENT: &str = "DELETE FROM activity_log_segments WHERE first_seq = ?1 AND entries = 0";

const DROP_SEGMENTS: [&str; 3] = [
    "DELETE FROM activity_log_segment_kinds WHERE first_seq >= ?1 AND first_seq < ?2",
    "DELETE FROM activity_log_segment_actors WHERE first_seq >= ?1 AND first_seq < ?2",
    "DELETE FROM activity_log_segments WHERE first_seq >= ?1 AND first_seq < ?2",
];
