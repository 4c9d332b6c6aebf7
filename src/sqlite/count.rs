//! Counting rows.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::sqlite::fragments::{CountRows, WithLimit};
use crate::sqlite::query::{Scope, Selection};
use crate::sqlite::scopes::{for_each_range, for_each_scope};
use crate::sqlite::segments::count::{count_by_rollups, rollups_pay_off};
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::segments::rollup::Rollup;
use crate::sqlite::transaction::with_read_transaction;

/// Counts the matching rows, up to `limit`.
pub(crate) fn count(conn: &mut SqliteConnection, filters: &NormalizedFilters, limit: Option<i64>) -> Result<u64> {
    let Some(selection) = Selection::new(filters) else { return Ok(0) };
    // For a time range alone, counting in the index on `ts` is as fast.
    let may_add_up = limit.is_none()
        && filters.restrict_kind_and_time_only()
        && (filters.restrict_nothing() || !filters.restrict_time_only());
    if !may_add_up && filters.restrict_time_only() {
        return count_rows(conn, selection.within_times(), limit);
    }
    if !may_add_up && !selection.needs_lookup() && SegmentPredicate::new(&selection, false).is_none() {
        return count_rows(conn, selection.matching(Scope::default()), limit);
    }
    with_read_transaction(conn, |conn| {
        if may_add_up && rollups_pay_off(conn, filters)? {
            let uncounted = SegmentPredicate::uncounted(&selection, Some(Rollup::new(filters)));
            return Ok(count_by_rollups(conn, &selection)? + count_in_segments(conn, &selection, uncounted)?);
        }
        let mut rows = 0;
        let left = |rows: u64| limit.map(|limit| limit.saturating_sub_unsigned(rows));
        for_each_scope(conn, &selection, limit.unwrap_or(i64::MAX), |conn, scope| {
            rows += count_rows(conn, selection.matching(scope), left(rows))?;
            Ok(left(rows).is_some_and(|left| left <= 0))
        })?;
        Ok(rows)
    })
}

/// Counts the rows that match in the segments of a predicate and among the unsummarized rows.
pub(crate) fn count_in_segments(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    predicate: SegmentPredicate<'_>,
) -> Result<u64> {
    let mut rows = 0;
    for_each_range(conn, Some(predicate), |conn, range| {
        rows += count_rows(conn, selection.matching(range.into()), None)?;
        Ok(false)
    })?;
    Ok(rows)
}

fn count_rows(conn: &mut SqliteConnection, query: BoxedQuery<'_, Sqlite>, limit: Option<i64>) -> Result<u64> {
    let count = match limit {
        None => query.count().get_result::<i64>(conn)?,
        Some(limit) => CountRows(WithLimit { query: query.select(activity_log::seq), limit }).get_result(conn)?,
    };
    Ok(count.unsigned_abs())
}
