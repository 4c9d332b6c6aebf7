//! Counts over time, from the rollups.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::model::histogram::SeverityCounts;
use crate::sqlite::buckets::{Buckets, add_to};
use crate::sqlite::fragments::SelectFrom;
use crate::sqlite::query::Selection;
use crate::sqlite::segments::predicate::{counted_segments, is_counted};
use crate::sqlite::segments::rollup::Rollup;
use crate::sqlite::segments::schema::activity_log_segment_rollups as rollups;
use crate::sqlite::segments::schema::activity_log_segments::{first_seq, min_ts, table as segments};
use crate::sqlite::stored_text::Stored;

/// Adds the matching rows of the [counted segments](counted_segments) that no edge divides.
pub(crate) fn count_by_rollups(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    buckets: &Buckets,
    histogram: &mut [SeverityCounts],
) -> QueryResult<()> {
    let is_undivided = buckets.is_undivided();
    let counted = segments.filter(is_counted(&selection.times, Some(&is_undivided))).select((first_seq, min_ts));
    let bucket_of_segment = SelectFrom::<_, (BigInt, BigInt)>::new(
        format!("first_seq, {}", buckets.bucket_of("min_ts")),
        counted,
        String::new(),
    );
    let bucket_of_segment = bucket_of_segment.load::<(i64, i64)>(conn)?.into_iter().collect::<HashMap<_, _>>();
    let rows = rollups::table
        .filter(rollups::first_seq.eq_any(counted_segments(&selection.times, Some(&is_undivided))))
        .into_boxed()
        .filter(Rollup::with_severity(selection.filters).condition());
    let sums = SelectFrom::<_, (BigInt, Text, BigInt)>::new(
        "first_seq, severity, sum(entries)".to_owned(),
        rows,
        "GROUP BY 1, 2".to_owned(),
    );
    for (segment, severity, entries) in sums.load::<(i64, Stored<String>, i64)>(conn)? {
        if let Some(bucket) = bucket_of_segment.get(&segment) {
            add_to(histogram, *bucket, &severity.into_inner(), entries);
        }
    }
    Ok(())
}
