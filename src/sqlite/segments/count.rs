//! Counts from the rollups.

use diesel::prelude::*;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::sqlite::extent::newest_seq;
use crate::sqlite::fragments::sum;
use crate::sqlite::query::Selection;
use crate::sqlite::segments::extent::{SEGMENT_ROWS, segments_exist, summarized_before};
use crate::sqlite::segments::predicate::{counted_segments, is_counted};
use crate::sqlite::segments::rollup::Rollup;
use crate::sqlite::segments::schema::{activity_log_segment_rollups, activity_log_segments};

/// The longest list that is added up from the rollups; the lookup repeats for each segment.
const MAX_LOOKUPS: usize = 16;
/// How many `seq` after the last segment are counted one by one. There are more if only other programs write.
const MAX_UNSUMMARIZED: i64 = 1 << 16;
/// Rollups are added up only if the last segment has at most this many rows at their level.
const MAX_ROLLUP_ROWS: i64 = 128;

/// Whether adding up the rollups is faster than counting rows in an index, for filters that [restrict kind and time
/// only](NormalizedFilters::restrict_kind_and_time_only).
pub(crate) fn rollups_pay_off(conn: &mut SqliteConnection, filters: &NormalizedFilters) -> Result<bool> {
    let rollup = Rollup::new(filters);
    if rollup.lookups() > MAX_LOOKUPS || !segments_exist(conn)? {
        return Ok(false);
    }
    let (Some(boundary), Some(newest)) = (summarized_before(conn)?, newest_seq(conn)?) else { return Ok(false) };
    if newest.saturating_sub(boundary) > MAX_UNSUMMARIZED {
        return Ok(false);
    }
    if rollup.is_selective() {
        return Ok(true);
    }
    Ok(rollup.rows_in(conn, boundary.saturating_sub(SEGMENT_ROWS))? <= MAX_ROLLUP_ROWS)
}

/// How many rows match in the [counted segments](counted_segments).
pub(crate) fn count_by_rollups(conn: &mut SqliteConnection, selection: &Selection<'_>) -> Result<u64> {
    use activity_log_segment_rollups::{entries, first_seq, table};

    let count = if selection.filters.restrict_nothing() {
        let counted = activity_log_segments::table.filter(is_counted(&selection.times, None));
        counted.select(sum(activity_log_segments::entries)).get_result::<Option<i64>>(conn)?
    } else {
        let rows = table.filter(first_seq.eq_any(counted_segments(&selection.times, None)));
        let rows = rows.filter(Rollup::new(selection.filters).condition());
        rows.select(sum(entries)).get_result::<Option<i64>>(conn)?
    };
    Ok(count.unwrap_or(0).unsigned_abs())
}
