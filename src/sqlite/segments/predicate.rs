//! Which segments to look through.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::sqlite::Sqlite;

use crate::model::normalized_filters::NormalizedFilters;
use crate::sqlite::bounds::{in_order, in_range};
use crate::sqlite::fragments::WithLimit;
use crate::sqlite::query::Selection;
use crate::sqlite::segments::extent::SEGMENT_ROWS;
use crate::sqlite::segments::schema::{activity_log_segment_actors, activity_log_segment_kinds, activity_log_segments};
use crate::sqlite::timestamp::TimeRange;
use crate::store::range::{Order, SeqRange};

/// The longest category list checked against the rollups; the check repeats for each segment.
const MAX_CATEGORIES: usize = 256;

/// Which segments to look through row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SegmentPredicate<'a> {
    /// Those whose rollups do not count their rows.
    Uncounted,
    /// Those in which rows may match.
    MayMatch { times: &'a TimeRange, rollup: Option<Rollup<'a>> },
}

/// A test on the rollups: rows of the filters' actor, or of any, with any of their categories and any of their severities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rollup<'a>(&'a NormalizedFilters);

impl<'a> SegmentPredicate<'a> {
    /// `None` if the segments would not narrow the search.
    pub(crate) fn new(selection: &'a Selection<'a>) -> Option<Self> {
        let rollup = Rollup::new(selection.filters);
        if rollup.is_none() && selection.times.is_unbounded() {
            return None;
        }
        Some(Self::MayMatch { times: &selection.times, rollup })
    }

    /// Without the test on the rollups.
    pub(crate) fn of_times(selection: &'a Selection<'a>) -> Option<Self> {
        (!selection.times.is_unbounded()).then_some(Self::MayMatch { times: &selection.times, rollup: None })
    }

    /// How many segments to look up first. Where rollups match, the first segments usually fill a page.
    pub(crate) fn first_limit(&self) -> i64 {
        match self {
            Self::MayMatch { rollup: Some(_), .. } => 4,
            _ => 64,
        }
    }

    /// The first `seq` of the first segments that match and overlap the range, in order.
    pub(crate) fn find(
        &self,
        conn: &mut SqliteConnection,
        range: SeqRange,
        order: Order,
        limit: i64,
    ) -> QueryResult<Vec<i64>> {
        use activity_log_segments::{first_seq, has_null, max_ts, min_ts, stale, table};

        let segments = table.select(first_seq).into_boxed::<Sqlite>();
        let segments = match *self {
            Self::Uncounted => segments.filter(stale.or(has_null)),
            Self::MayMatch { times, rollup } => {
                let mut matches: Box<dyn BoxableExpression<table, Sqlite, SqlType = Bool>> =
                    Box::new(true.into_sql::<Bool>());
                if let Some(since) = &times.since {
                    matches = Box::new(matches.and(max_ts.ge(since)));
                }
                if let Some(until) = &times.until {
                    matches = Box::new(matches.and(min_ts.le(until)));
                }
                match rollup {
                    Some(Rollup(filters)) if let Some(actor) = &filters.actor => {
                        matches = Box::new(matches.and(exists(rows_of_actor(filters, actor))));
                    }
                    Some(Rollup(filters)) => matches = Box::new(matches.and(exists(rows_of_all_actors(filters)))),
                    None => {}
                }
                segments.filter(has_null.or(matches))
            }
        };
        // A segment overlaps the range if its first `seq` is in this one.
        let after = range.after.and_then(|after| after.checked_sub(SEGMENT_ROWS - 1));
        let segments = in_range(segments, first_seq, SeqRange { after, ..range });
        WithLimit { query: in_order(segments, first_seq, order), limit }.load(conn)
    }
}

impl<'a> Rollup<'a> {
    /// `None` if an index serves the filters as well. Two filters that each match many rows but few together need the
    /// rollups, unless a partial index has both.
    fn new(filters: &'a NormalizedFilters) -> Option<Self> {
        let NormalizedFilters { actor, categories, severities, .. } = filters;
        let narrows = match (actor, categories.is_empty()) {
            (Some(_), true) => !severities.is_empty() && !filters.restrict_to_errors(),
            (Some(_), false) => true,
            (None, true) => false,
            (None, false) => !severities.is_empty() && !filters.exclude_info(),
        };
        // An entity has few entries.
        let serves = narrows && filters.entity_id.is_none() && categories.len() <= MAX_CATEGORIES;
        serves.then_some(Self(filters))
    }
}

// Diesel's boxed queries cannot name a column of an outer query.
const OUTER_FIRST_SEQ: &str = "activity_log_segments.first_seq";

fn rows_of_actor<'a>(
    filters: &'a NormalizedFilters,
    name: &'a str,
) -> activity_log_segment_actors::BoxedQuery<'a, Sqlite> {
    use activity_log_segment_actors::{actor, category, first_seq, severity, table};

    let mut rows = table.filter(first_seq.eq(sql::<BigInt>(OUTER_FIRST_SEQ))).filter(actor.eq(name)).into_boxed();
    if !filters.categories.is_empty() {
        rows = rows.filter(category.eq_any(&filters.categories));
    }
    if !filters.severities.is_empty() {
        rows = rows.filter(severity.eq_any(filters.severity_texts()));
    }
    rows
}

fn rows_of_all_actors(filters: &NormalizedFilters) -> activity_log_segment_kinds::BoxedQuery<'_, Sqlite> {
    use activity_log_segment_kinds::{category, first_seq, severity, table};

    let rows = table.filter(first_seq.eq(sql::<BigInt>(OUTER_FIRST_SEQ)));
    rows.filter(category.eq_any(&filters.categories)).filter(severity.eq_any(filters.severity_texts())).into_boxed()
}
