//! Counts over time in segments that an edge divides.
//!
//! Where times do not go back, the rows before an edge are the rows before some `seq`, and a binary search finds that
//! `seq`. Looking at the time of each row would take ten times as long.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::model::histogram::SeverityCounts;
use crate::schema::activity_log;
use crate::sqlite::buckets::{Buckets, add_to};
use crate::sqlite::conditions::any_of;
use crate::sqlite::fragments::WithLimit;
use crate::sqlite::query::{SEVERITY_IS_NOT_INFO, Selection};
use crate::sqlite::segments::extent::SEGMENT_ROWS;
use crate::sqlite::segments::predicate::is_counted;
use crate::sqlite::segments::schema::activity_log_segments::{entries, first_seq, max_ts, min_ts, table as segments};
use crate::sqlite::stored_text::Stored;

/// Whether cuts can divide a segment: its times do not go back, and all of its severities are known.
pub(crate) const IS_DIVISIBLE: &str = "in_order AND NOT EXISTS (SELECT 1 FROM activity_log_segment_rollups AS rollup \
    WHERE rollup.first_seq = activity_log_segments.first_seq AND level = 0 AND actor = '' AND action = '' \
        AND severity NOT IN ('info', 'warning', 'error'))";

/// A segment, with the edges that divide it.
struct Divided<'a> {
    first: i64,
    entries: i64,
    /// The bucket of the part before the first edge.
    bucket: i64,
    edges: &'a [String],
}

/// Adds the rows of those counted segments that an edge divides and that are [divisible](IS_DIVISIBLE), for filters
/// that restrict only the time.
pub(crate) fn count_by_cuts(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    buckets: &Buckets,
    histogram: &mut [SeverityCounts],
) -> QueryResult<()> {
    let is_divided = format!("NOT ({}) AND {IS_DIVISIBLE}", buckets.is_undivided());
    let divided = segments.filter(is_counted(&selection.times, Some(&is_divided)));
    let divided = divided.select((first_seq, entries, min_ts, max_ts)).load::<(i64, i64, String, String)>(conn)?;
    for (first, rows, from, to) in divided {
        let before = |time: &String| buckets.edges().partition_point(|edge| edge <= time);
        let (bucket, last) = (before(&from), before(&to));
        let edges = buckets.edges().get(bucket..last).unwrap_or_default();
        Divided { first, entries: rows, bucket: bucket as i64, edges }.add(conn, histogram)?;
    }
    Ok(())
}

impl Divided<'_> {
    fn add(&self, conn: &mut SqliteConnection, histogram: &mut [SeverityCounts]) -> QueryResult<()> {
        let end = self.first.saturating_add(SEGMENT_ROWS);
        let mut start = self.first;
        for (bucket, edge) in (self.bucket..).zip(self.edges.iter().map(Some).chain([None])) {
            let cut = edge.map_or(Ok(end), |edge| first_at_or_after(conn, edge, start, end))?;
            self.add_part(conn, bucket, start, cut, histogram)?;
            start = cut;
        }
        Ok(())
    }

    /// Adds the rows from `start` to before `end`.
    fn add_part(
        &self,
        conn: &mut SqliteConnection,
        bucket: i64,
        start: i64,
        end: i64,
        histogram: &mut [SeverityCounts],
    ) -> QueryResult<()> {
        use activity_log::{seq, severity, table};

        if start >= end {
            return Ok(());
        }
        let rows = match self.entries {
            SEGMENT_ROWS => end - start,
            _ => table.filter(seq.ge(start)).filter(seq.lt(end)).count().get_result(conn)?,
        };
        let others = table
            .filter(any_of(severity, vec!["warning", "error"], true))
            .filter(diesel::dsl::sql::<Bool>(SEVERITY_IS_NOT_INFO))
            .filter(seq.ge(start))
            .filter(seq.lt(end))
            .group_by(severity)
            .select((severity, count_star()))
            .load::<(Stored<String>, i64)>(conn)?;
        let mut info = rows;
        for (name, rows) in others {
            info -= rows;
            add_to(histogram, bucket, &name.into_inner(), rows);
        }
        add_to(histogram, bucket, "info", info);
        Ok(())
    }
}

/// The first `seq` from which on the times are not before `edge`, between `start` and `end`.
fn first_at_or_after(conn: &mut SqliteConnection, edge: &String, start: i64, end: i64) -> QueryResult<i64> {
    use activity_log::{seq, table, ts};

    let (mut low, mut high) = (start, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let row = table.filter(seq.ge(middle)).filter(seq.lt(high)).order(seq.asc()).select((seq, ts.lt(edge)));
        let row = WithLimit { query: row, limit: 1 };
        match row.load::<(i64, bool)>(conn)?.first() {
            Some((row, true)) => low = row.saturating_add(1),
            _ => high = middle,
        }
    }
    Ok(low)
}
