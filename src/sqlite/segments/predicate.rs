//! Which segments to look through.

use diesel::dsl::{exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::sqlite::Sqlite;

use crate::sqlite::bounds::{in_order, in_range};
use crate::sqlite::conditions::Condition;
use crate::sqlite::fragments::WithLimit;
use crate::sqlite::query::Selection;
use crate::sqlite::segments::extent::SEGMENT_ROWS;
use crate::sqlite::segments::rollup::Rollup;
use crate::sqlite::segments::schema::activity_log_segment_rollups as rollups;
use crate::sqlite::segments::schema::activity_log_segments::{
    first_seq, has_null, max_ts, min_ts, stale, table as segments,
};
use crate::sqlite::timestamp::TimeRange;
use crate::store::range::{Order, SeqRange};

/// Which segments to look through row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentPredicate<'a> {
    times: &'a TimeRange,
    rollup: Option<Rollup<'a>>,
    /// Only those whose rollups do not count the matching rows.
    uncounted_only: bool,
    /// A further test, in SQL, that a segment must pass for its rollups to count.
    counts_if: Option<&'a str>,
}

impl<'a> SegmentPredicate<'a> {
    /// The segments in which rows may match; `None` if the segments would not narrow the search. `lists_actions` is
    /// whether all actions to look for are known by name.
    pub(crate) fn new(selection: &'a Selection<'a>, lists_actions: bool) -> Option<Self> {
        let rollup = Rollup::narrowing(selection.filters, lists_actions);
        let narrows = rollup.is_some() || !selection.times.is_unbounded();
        narrows.then_some(Self { times: &selection.times, rollup, uncounted_only: false, counts_if: None })
    }

    /// The segments in the time range.
    pub(crate) fn of_times(selection: &'a Selection<'a>) -> Option<Self> {
        let narrows = !selection.times.is_unbounded();
        narrows.then_some(Self { times: &selection.times, rollup: None, uncounted_only: false, counts_if: None })
    }

    /// The segments in which rows may match and whose rows the [counted segments](counted_segments) do not include.
    pub(crate) fn uncounted(selection: &'a Selection<'a>, rollup: Option<Rollup<'a>>) -> Self {
        Self { times: &selection.times, rollup, uncounted_only: true, counts_if: None }
    }

    /// The same, but the rollups count only in segments that pass a test in SQL.
    pub(crate) fn unless(self, counts_if: &'a str) -> Self {
        Self { counts_if: Some(counts_if), ..self }
    }

    /// How many segments to look up first. Where rollups match, the first segments usually fill a page.
    pub(crate) fn first_limit(&self) -> i64 {
        if self.rollup.is_some() && !self.uncounted_only { 4 } else { 64 }
    }

    /// The first `seq` of the first segments that match and overlap the range, in order.
    pub(crate) fn find(
        &self,
        conn: &mut SqliteConnection,
        range: SeqRange,
        order: Order,
        limit: i64,
    ) -> QueryResult<Vec<i64>> {
        let mut matches: Condition<'_, segments> = Box::new(true.into_sql::<Bool>());
        if let Some(since) = &self.times.since {
            matches = Box::new(matches.and(max_ts.ge(since)));
        }
        if let Some(until) = &self.times.until {
            matches = Box::new(matches.and(min_ts.le(until)));
        }
        if let Some(rollup) = self.rollup {
            let of_segment = rollups::table.filter(rollups::first_seq.eq(sql::<BigInt>(OUTER_FIRST_SEQ))).into_boxed();
            matches = Box::new(matches.and(exists(of_segment.filter(rollup.condition()))));
        }
        if self.uncounted_only {
            matches = Box::new(not(is_counted(self.times, self.counts_if)).and(matches));
        }
        let found = segments.select(first_seq).into_boxed::<Sqlite>().filter(has_null.or(matches));
        // A segment overlaps the range if its first `seq` is in this widened range.
        let after = range.after.and_then(|after| after.checked_sub(SEGMENT_ROWS - 1));
        let found = in_range(found, first_seq, SeqRange { after, ..range });
        WithLimit { query: in_order(found, first_seq, order), limit }.load(conn)
    }
}

/// The segments whose rollups count their rows and whose rows are all in the time range, by their first `seq`.
pub(crate) fn counted_segments<'a>(times: &'a TimeRange, counts_if: Option<&'a str>) -> BoxedSegments<'a> {
    segments.select(first_seq).into_boxed().filter(is_counted(times, counts_if))
}

pub(crate) type BoxedSegments<'a> = diesel::dsl::IntoBoxed<'a, diesel::dsl::Select<segments, first_seq>, Sqlite>;

/// Whether the rollups count the rows of a segment, these are all in the time range, and the segment passes a further
/// test.
pub(crate) fn is_counted<'a>(times: &'a TimeRange, counts_if: Option<&str>) -> Condition<'a, segments> {
    let mut counted: Condition<'a, segments> = Box::new(not(stale.or(has_null)));
    if let Some(since) = &times.since {
        counted = Box::new(counted.and(min_ts.ge(since)));
    }
    if let Some(until) = &times.until {
        counted = Box::new(counted.and(max_ts.le(until)));
    }
    if let Some(test) = counts_if {
        counted = Box::new(counted.and(sql::<Bool>(&format!("({test})"))));
    }
    counted
}

// Diesel's boxed queries cannot name a column of an outer query.
const OUTER_FIRST_SEQ: &str = "activity_log_segments.first_seq";
