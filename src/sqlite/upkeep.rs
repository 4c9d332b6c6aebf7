//! Keeping the summaries and the search index up to date, at start-up and while recording.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::thread::sleep;
use std::time::Instant;

use diesel::prelude::*;

use crate::error::{Error, Result};
use crate::sqlite::busy::{retry_while_busy, without_busy_timeout};
use crate::sqlite::search::fill;
use crate::sqlite::segments::extent::{
    SEGMENT_ROWS, growing_segment, segment_start, segments_exist, summarized_before,
};
use crate::sqlite::segments::summarize::{
    add_segments, drop_segment, is_behind, segments_without_rows, stale_segments, summarize_all, summarize_segment,
};
use crate::sqlite::transaction::{is_in_transaction, with_transaction};

/// One in how many records checks whether upkeep is due. A check takes a tenth of a record's time.
const RECORDS_PER_CHECK: u64 = 32;
/// How many segments of rows that other programs wrote one call summarizes, and how many without rows it drops. It takes 25
/// to 50 ms.
const MAX_NEW_SEGMENTS: i64 = 8;
/// How many stale segments one call summarizes again, and how many it adds to the search index. It takes as long.
const MAX_STALE_SEGMENTS: i64 = 2;

/// Whether these rows, the last one recorded as `last_seq`, check at all if upkeep is due: where a segment begins, and now and
/// then. The choice looks random, because other programs may write in any rhythm.
pub(crate) fn is_sampled(last_seq: i64, rows: usize) -> bool {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(last_seq);
    last_seq.rem_euclid(SEGMENT_ROWS) < rows as i64 || hash % RECORDS_PER_CHECK < rows as u64
}

/// Whether upkeep is due after a row was recorded as `last_seq`.
pub(crate) fn is_due(conn: &mut SqliteConnection, last_seq: i64) -> QueryResult<bool> {
    // Recording needs no more than the first migration.
    Ok(segments_exist(conn)? && (is_behind(conn, segment_start(last_seq))? || fill::is_due(conn)?))
}

/// Does a part of what is due. `rows` is how many rows the call is for.
///
/// The search index has a transaction of its own: a damaged one is no reason to give up the summaries. `check` reports it.
pub(crate) fn keep_up(conn: &mut SqliteConnection, rows: usize) -> Result<()> {
    let segments = rows as i64 / SEGMENT_ROWS;
    let dropped = with_transaction(conn, |conn| Ok(keep_up_summaries(conn, segments)?))?;
    if dropped.is_empty() && !fill::is_due(conn)? {
        return Ok(());
    }
    let filled = with_transaction(conn, |conn| {
        fill::remove(conn, &dropped)?;
        Ok(fill::add_some(conn, segments.saturating_add(MAX_STALE_SEGMENTS))?)
    });
    match filled {
        Err(Error::Busy(error)) => Err(Error::Busy(error)),
        Err(error) if error.is_out_of_space() => Err(error),
        _ => Ok(()),
    }
}

/// Returns the first `seq` of the segments that were dropped, because they have no rows.
fn keep_up_summaries(conn: &mut SqliteConnection, segments: i64) -> QueryResult<Vec<i64>> {
    // Another connection may have recorded more, and summarized it, before the lock was free.
    let Some(growing) = growing_segment(conn)? else { return Ok(Vec::new()) };
    let without_rows = segments_without_rows(conn, growing, segments.saturating_add(MAX_NEW_SEGMENTS))?;
    without_rows.iter().try_for_each(|first| drop_segment(conn, *first))?;
    add_segments(conn, growing, segments.saturating_add(MAX_NEW_SEGMENTS))?;
    let stale = stale_segments(conn, segments.saturating_add(MAX_STALE_SEGMENTS))?;
    stale.into_iter().try_for_each(|first| summarize_segment(conn, first))?;
    Ok(without_rows)
}

/// Does all that is due, in short transactions with pauses for other writers.
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
                keep_up(conn, 0)
            })?;
            let after = backlog(conn)?;
            // Another program may change rows as fast as this one keeps up.
            if !after.is_due || !after.is_shorter_than(&before) {
                return Ok(());
            }
            sleep(started.elapsed());
        }
    });
    drop::<Result<()>>(outcome);
    Ok(())
}

/// Computes everything again, within a transaction of the caller's.
pub(crate) fn rebuild(conn: &mut SqliteConnection) -> QueryResult<()> {
    summarize_all(conn)?;
    fill::rebuild(conn)
}

/// What is left to do.
struct Backlog {
    is_due: bool,
    boundary: Option<i64>,
    /// Segments that are stale, without rows or not in the search index.
    segments: i64,
}

impl Backlog {
    fn is_shorter_than(&self, other: &Self) -> bool {
        self.boundary != other.boundary || self.segments < other.segments
    }
}

fn backlog(conn: &mut SqliteConnection) -> QueryResult<Backlog> {
    let Some(growing) = growing_segment(conn)? else {
        return Ok(Backlog { is_due: false, boundary: None, segments: 0 });
    };
    let is_due = is_behind(conn, growing)? || fill::is_due(conn)?;
    let segments = stale_segments(conn, i64::MAX)?.len() + segments_without_rows(conn, growing, i64::MAX)?.len();
    let segments = segments as i64 + fill::missing(conn)?;
    Ok(Backlog { is_due, boundary: summarized_before(conn)?, segments })
}
