//! Counts by category and severity, from the rollups.

use diesel::dsl::not;
use diesel::prelude::*;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::sqlite::extent::newest_seq;
use crate::sqlite::fragments::sum;
use crate::sqlite::segments::extent::{SEGMENT_ROWS, segments_exist, summarized_before};
#[cfg(doc)]
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::segments::schema::{activity_log_segment_kinds, activity_log_segments};

/// The longest category list that is added up from the rollups; the lookup repeats for each segment.
const MAX_CATEGORIES: usize = 16;
/// How many `seq` after the last segment are counted one by one. There are more if only other programs write.
const MAX_UNSUMMARIZED: i64 = 1 << 16;
/// How many kinds the last segment may have for all kinds to be added up.
const MAX_KINDS: i64 = 128;

/// Whether adding up the rollups is faster than counting rows, for filters that [restrict category and severity
/// only](NormalizedFilters::restrict_kind_only).
pub(crate) fn rollups_pay_off(conn: &mut SqliteConnection, filters: &NormalizedFilters) -> Result<bool> {
    use activity_log_segment_kinds::{first_seq, table};

    if filters.categories.len() > MAX_CATEGORIES || !segments_exist(conn)? {
        return Ok(false);
    }
    let (Some(boundary), Some(newest)) = (summarized_before(conn)?, newest_seq(conn)?) else { return Ok(false) };
    if newest.saturating_sub(boundary) > MAX_UNSUMMARIZED {
        return Ok(false);
    }
    if !filters.categories.is_empty() || filters.severities.is_empty() {
        return Ok(true);
    }
    let kinds = table.filter(first_seq.eq(boundary.saturating_sub(SEGMENT_ROWS))).count();
    Ok(kinds.get_result::<i64>(conn)? <= MAX_KINDS)
}

/// How many rows match in the segments that are not [uncounted](SegmentPredicate::Uncounted), for the same filters.
pub(crate) fn count_by_rollups(conn: &mut SqliteConnection, filters: &NormalizedFilters) -> Result<u64> {
    use activity_log_segments::{entries, has_null, stale, table};

    let fresh = table.filter(not(stale.or(has_null)));
    if filters.categories.is_empty() && filters.severities.is_empty() {
        let count = fresh.select(sum(entries)).get_result::<Option<i64>>(conn)?;
        return Ok(count.unwrap_or(0).unsigned_abs());
    }
    let kinds = activity_log_segment_kinds::table;
    let mut kinds = fresh
        .inner_join(kinds.on(activity_log_segment_kinds::first_seq.eq(activity_log_segments::first_seq)))
        .select(sum(activity_log_segment_kinds::entries))
        .into_boxed();
    if !filters.categories.is_empty() {
        kinds = kinds.filter(activity_log_segment_kinds::category.eq_any(&filters.categories));
    }
    if !filters.severities.is_empty() {
        kinds = kinds.filter(activity_log_segment_kinds::severity.eq_any(filters.severity_texts()));
    }
    Ok(kinds.get_result::<Option<i64>>(conn)?.unwrap_or(0).unsigned_abs())
}
