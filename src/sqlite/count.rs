//! Counting rows.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::sqlite::fragments::{CountRows, WithLimit};
use crate::sqlite::query::{Scope, Selection};
use crate::sqlite::search::term::IndexedTerm;
use crate::sqlite::segments::candidates::CandidateRanges;
use crate::sqlite::segments::count::{count_by_rollups, rollups_pay_off};
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::transaction::with_read_transaction;
use crate::store::range::{Order, SeqRange};

/// Counts the matching rows, up to `limit`.
pub(crate) fn count(conn: &mut SqliteConnection, filters: &NormalizedFilters, limit: Option<i64>) -> Result<u64> {
    let Some(selection) = Selection::new(filters) else { return Ok(0) };
    if limit.is_none() && filters.restrict_kind_only() && rollups_pay_off(conn, filters)? {
        return with_read_transaction(conn, |conn| {
            let summarized = count_by_rollups(conn, filters)?;
            Ok(summarized + count_in_candidates(conn, &selection, Some(SegmentPredicate::Uncounted), None)?)
        });
    }
    if filters.restrict_time_only() {
        return count_rows(conn, selection.within_times(), limit);
    }
    let predicate = SegmentPredicate::new(&selection);
    if !selection.needs_lookup() && predicate.is_none() {
        return count_rows(conn, selection.matching(Scope::default()), limit);
    }
    with_read_transaction(conn, |conn| match IndexedTerm::new(conn, &selection)? {
        Some(term) => count_by_term(conn, &selection, term, limit),
        None => count_in_candidates(conn, &selection, predicate, limit),
    })
}

/// Counts the rows that match in the segments of a predicate and among the unsummarized rows.
pub(crate) fn count_in_candidates(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    predicate: Option<SegmentPredicate<'_>>,
    limit: Option<i64>,
) -> Result<u64> {
    let mut count = Count { rows: 0, limit };
    let mut ranges = CandidateRanges::new(conn, predicate, SeqRange::default(), Order::Ascending)?;
    while !count.is_complete()
        && let Some(range) = ranges.next(conn)?
    {
        count.add(conn, selection, range.into())?;
    }
    Ok(count.rows)
}

fn count_by_term(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    mut term: IndexedTerm<'_>,
    limit: Option<i64>,
) -> Result<u64> {
    let mut count = Count { rows: 0, limit };
    let predicate = SegmentPredicate::of_times(selection);
    let mut ranges = CandidateRanges::new(conn, predicate, SeqRange::default(), Order::Ascending)?;
    while !count.is_complete()
        && let Some(range) = ranges.next(conn)?
    {
        for (part, is_indexed) in term.parts(range, Order::Ascending) {
            if count.is_complete() {
                break;
            }
            if !is_indexed {
                count.add(conn, selection, part.into())?;
                continue;
            }
            let rows = count.left().unwrap_or(i64::MAX);
            let rest = term.for_each_candidate_batch(conn, part, Order::Ascending, rows, |conn, candidates| {
                count.add(conn, selection, Scope { candidates: Some(candidates), ..Scope::default() })?;
                Ok(count.is_complete())
            })?;
            if let Some(rest) = rest {
                count.add(conn, selection, rest.into())?;
            }
        }
    }
    Ok(count.rows)
}

/// How many rows are counted so far, and up to which number.
struct Count {
    rows: u64,
    limit: Option<i64>,
}

impl Count {
    fn add(&mut self, conn: &mut SqliteConnection, selection: &Selection<'_>, scope: Scope<'_>) -> Result<()> {
        self.rows += count_rows(conn, selection.matching(scope), self.left())?;
        Ok(())
    }

    fn left(&self) -> Option<i64> {
        self.limit.map(|limit| limit.saturating_sub_unsigned(self.rows))
    }

    fn is_complete(&self) -> bool {
        self.left().is_some_and(|left| left <= 0)
    }
}

fn count_rows(conn: &mut SqliteConnection, query: BoxedQuery<'_, Sqlite>, limit: Option<i64>) -> Result<u64> {
    let count = match limit {
        None => query.count().get_result::<i64>(conn)?,
        Some(limit) => CountRows(WithLimit { query: query.select(activity_log::seq), limit }).get_result(conn)?,
    };
    Ok(count.unsigned_abs())
}
