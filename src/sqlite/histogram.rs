//! Counting rows over time, by severity.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::error::Result;
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::normalized_filters::NormalizedFilters;
use crate::schema::activity_log;
use crate::sqlite::buckets::{Buckets, add_to};
use crate::sqlite::fragments::SelectFrom;
use crate::sqlite::query::{Scope, Selection};
use crate::sqlite::scopes::{for_each_range, for_each_scope};
use crate::sqlite::segments::cuts::{IS_DIVISIBLE, count_by_cuts};
use crate::sqlite::segments::extent::segments_exist;
use crate::sqlite::segments::histogram::count_by_rollups;
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::segments::rollup::Rollup;
use crate::sqlite::stored_text::Stored;
use crate::sqlite::transaction::with_read_transaction;

/// Counts the matching rows between each two neighbouring edges.
pub(crate) fn histogram(
    conn: &mut SqliteConnection,
    filters: &NormalizedFilters,
    edges: &Edges,
) -> Result<Vec<SeverityCounts>> {
    let mut histogram = vec![SeverityCounts::default(); edges.buckets()];
    let filters = filters.clone().within(edges.first(), edges.last());
    let Some(selection) = Selection::new(&filters) else { return Ok(histogram) };
    let buckets = Buckets::new(edges);
    with_read_transaction(conn, |conn| {
        if filters.restrict_kind_and_time_only() && segments_exist(conn)? {
            count_by_rollups(conn, &selection, &buckets, &mut histogram)?;
            let mut counted = buckets.is_undivided();
            if filters.restrict_time_only() {
                count_by_cuts(conn, &selection, &buckets, &mut histogram)?;
                counted = format!("({counted}) OR ({IS_DIVISIBLE})");
            }
            let uncounted = SegmentPredicate::uncounted(&selection, Some(Rollup::new(&filters))).unless(&counted);
            for_each_range(conn, Some(uncounted), |conn, range| {
                add(conn, &selection, range.into(), &buckets, &mut histogram)?;
                Ok(false)
            })?;
        } else {
            for_each_scope(conn, &selection, i64::MAX, |conn, scope| {
                add(conn, &selection, scope, &buckets, &mut histogram)?;
                Ok(false)
            })?;
        }
        Ok(histogram)
    })
}

fn add(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    scope: Scope<'_>,
    buckets: &Buckets,
    histogram: &mut [SeverityCounts],
) -> QueryResult<()> {
    let counted = SelectFrom::<_, (BigInt, Text, BigInt)>::new(
        format!("{}, severity, count(*)", buckets.bucket_of("ts")),
        selection.matching(scope).select((activity_log::ts, activity_log::severity)),
        "WHERE ts IS NOT NULL AND severity IS NOT NULL GROUP BY 1, 2".to_owned(),
    );
    for (bucket, severity, entries) in counted.load::<(i64, Stored<String>, i64)>(conn)? {
        add_to(histogram, bucket, &severity.into_inner(), entries);
    }
    Ok(())
}
