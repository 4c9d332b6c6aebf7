//! Computes the summaries of segments.
//!
//! An insert trigger that kept them would triple the time of an insert. Start-up and recording therefore summarize a
//! segment once the log has grown beyond it, whoever wrote its rows.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::schema::activity_log;
use crate::sqlite::extent::oldest_seq;
use crate::sqlite::fragments::WithLimit;
use crate::sqlite::segments::extent::{
    SEGMENT_ROWS, growing_segment, segment_start, segments_exist, summarized_before,
};
use crate::sqlite::segments::schema::{activity_log_segment_rollups, activity_log_segments};

/// Whether segments before the growing one are to be added, segments after it to be dropped, or more segments are stale
/// than a count should look through.
pub(crate) fn is_behind(conn: &mut SqliteConnection, growing: i64) -> QueryResult<bool> {
    let boundary = summarized_before(conn)?;
    if boundary != Some(growing) {
        let after = boundary.map_or(i64::MIN, |boundary| boundary.saturating_sub(1));
        let rows = activity_log::table.filter(activity_log::seq.gt(after)).filter(activity_log::seq.lt(growing));
        if boundary > Some(growing) || diesel::select(exists(rows)).get_result(conn)? {
            return Ok(true);
        }
    }
    Ok(stale_segments(conn, TOLERATED_STALE + 1)?.len() as i64 > TOLERATED_STALE)
}

/// Drops all segments: the log is about to be emptied.
pub(crate) fn drop_all_segments(conn: &mut SqliteConnection) -> QueryResult<()> {
    if segments_exist(conn)? { drop_segments(conn, i64::MIN, i64::MAX) } else { Ok(()) }
}

/// Drops all rollups, within a transaction of the caller's. Until it is [summarized](summarize_segment) again, each
/// segment is looked through.
pub(crate) fn forget_rollups(conn: &mut SqliteConnection) -> QueryResult<()> {
    use activity_log_segments::{has_null, stale, table};

    diesel::update(table).set((stale.eq(true), has_null.eq(true))).execute(conn)?;
    diesel::delete(activity_log_segment_rollups::table).execute(conn).map(drop)
}

/// Computes all summaries again, within a transaction of the caller's.
pub(crate) fn summarize_all(conn: &mut SqliteConnection) -> QueryResult<()> {
    drop_all_segments(conn)?;
    match growing_segment(conn)? {
        Some(growing) => add_segments(conn, growing, i64::MAX),
        None => Ok(()),
    }
}

/// Whether a segment has lost its rollups, for example because a backup left out their table.
pub(crate) fn rollups_are_missing(conn: &mut SqliteConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(SEGMENT_WITHOUT_ROLLUPS)).get_result(conn)
}

/// The first `seq` of up to `limit` stale segments.
pub(crate) fn stale_segments(conn: &mut SqliteConnection, limit: i64) -> QueryResult<Vec<i64>> {
    use activity_log_segments::{first_seq, stale, table};

    WithLimit { query: table.select(first_seq).filter(stale), limit }.load(conn)
}

/// The first `seq` of up to `limit` segments that cannot have rows: those before the oldest row, and those from the
/// growing one on. In a log whose numbers began again, the latter describe numbers that are about to be given.
pub(crate) fn segments_without_rows(conn: &mut SqliteConnection, growing: i64, limit: i64) -> QueryResult<Vec<i64>> {
    use activity_log_segments::{first_seq, table};

    let oldest = segment_start(oldest_seq(conn)?.unwrap_or(growing));
    table.select(first_seq).filter(first_seq.lt(oldest).or(first_seq.ge(growing))).limit(limit).load(conn)
}

/// Summarizes up to `limit` segments between the last one and the growing one.
pub(crate) fn add_segments(conn: &mut SqliteConnection, growing: i64, limit: i64) -> QueryResult<()> {
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

/// Summarizes a segment, for the first time or again.
pub(crate) fn summarize_segment(conn: &mut SqliteConnection, first: i64) -> QueryResult<()> {
    [DROP_ROLLUPS, ADD_ALL, ADD_ACTORS, ADD_ACTIONS, ADD_KINDS, ADD_SEGMENT, DROP_EMPTY_SEGMENT]
        .into_iter()
        .try_for_each(|statement| diesel::sql_query(statement).bind::<BigInt, _>(first).execute(conn).map(drop))
}

/// Drops a segment.
pub(crate) fn drop_segment(conn: &mut SqliteConnection, first: i64) -> QueryResult<()> {
    drop_segments(conn, first, first.saturating_add(1))
}

/// Drops the segments that begin with a `seq` from `from` to before `to`.
fn drop_segments(conn: &mut SqliteConnection, from: i64, to: i64) -> QueryResult<()> {
    DROP_SEGMENTS.into_iter().try_for_each(|statement| {
        diesel::sql_query(statement).bind::<BigInt, _>(from).bind::<BigInt, _>(to).execute(conn).map(drop)
    })
}

/// A count looks through this many stale segments in half a millisecond.
const TOLERATED_STALE: i64 = 4;

const SEGMENT_WITHOUT_ROLLUPS: &str = "EXISTS (SELECT 1 FROM activity_log_segments AS segment \
    WHERE entries > 0 AND NOT has_null AND NOT ( \
        EXISTS (SELECT 1 FROM activity_log_segment_rollups WHERE first_seq = segment.first_seq AND level = 0) \
        AND EXISTS (SELECT 1 FROM activity_log_segment_rollups WHERE first_seq = segment.first_seq AND level = 3)))";

const DROP_ROLLUPS: &str = "DELETE FROM activity_log_segment_rollups WHERE first_seq = ?1";
const ADD_ALL: &str = "INSERT INTO activity_log_segment_rollups \
    SELECT ?1, 3, actor, action, category, severity, coalesce(entity_type, ''), count(*) FROM activity_log \
    WHERE seq BETWEEN ?1 AND ?1 + 4095 \
        AND actor IS NOT NULL AND action IS NOT NULL AND category IS NOT NULL AND severity IS NOT NULL \
    GROUP BY 3, 4, 5, 6, 7";
const ADD_ACTORS: &str = "INSERT INTO activity_log_segment_rollups \
    SELECT ?1, 2, actor, '', '', '', '', sum(entries) FROM activity_log_segment_rollups \
    WHERE first_seq = ?1 AND level = 3 GROUP BY actor";
const ADD_ACTIONS: &str = "INSERT INTO activity_log_segment_rollups \
    SELECT ?1, 1, '', action, category, severity, entity_type, sum(entries) FROM activity_log_segment_rollups \
    WHERE first_seq = ?1 AND level = 3 GROUP BY action, category, severity, entity_type";
const ADD_KINDS: &str = "INSERT INTO activity_log_segment_rollups \
    SELECT ?1, 0, '', '', category, severity, '', sum(entries) FROM activity_log_segment_rollups \
    WHERE first_seq = ?1 AND level = 1 GROUP BY category, severity";
const ADD_SEGMENT: &str = "INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale, has_null, in_order) \
    SELECT ?1, count(*), coalesce(min(ts), ''), coalesce(max(ts), ''), FALSE, \
        total(ts IS NULL OR actor IS NULL OR action IS NULL OR category IS NULL OR severity IS NULL) > 0, \
        CASE WHEN count(*) = max(seq) - min(seq) + 1 THEN NOT EXISTS ( \
            SELECT 1 FROM activity_log AS last JOIN activity_log AS entry ON entry.seq = last.seq + 1 \
            WHERE last.seq BETWEEN ?1 AND ?1 + 4094 AND entry.ts < last.ts \
        ) ELSE NOT EXISTS ( \
            SELECT 1 FROM activity_log AS entry WHERE seq BETWEEN ?1 AND ?1 + 4095 AND ts < ( \
                SELECT ts FROM activity_log AS last WHERE last.seq < entry.seq AND last.seq >= ?1 \
                ORDER BY last.seq DESC LIMIT 1 \
            ) \
        ) END \
    FROM activity_log WHERE seq BETWEEN ?1 AND ?1 + 4095 \
    ON CONFLICT (first_seq) DO UPDATE SET entries = excluded.entries, min_ts = excluded.min_ts, \
        max_ts = excluded.max_ts, stale = excluded.stale, has_null = excluded.has_null, in_order = excluded.in_order, in_search = FALSE";
const DROP_EMPTY_SEGMENT: &str = "DELETE FROM activity_log_segments WHERE first_seq = ?1 AND entries = 0";

const DROP_SEGMENTS: [&str; 2] = [
    "DELETE FROM activity_log_segment_rollups WHERE first_seq >= ?1 AND first_seq < ?2",
    "DELETE FROM activity_log_segments WHERE first_seq >= ?1 AND first_seq < ?2",
];
