//! Counting rows.

use diesel::prelude::QueryResult;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::error::Result;
use crate::model::facet::{Facet, FacetValue, Facets};
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::severity::ActivitySeverity;
use crate::postgres::blocks::Parts;
use crate::postgres::conditions::all_rows;
use crate::postgres::execute::Execute;
use crate::postgres::query::{Selection, rounded};
use crate::postgres::read::split_near;
use crate::postgres::rollups::level::Level;
use crate::postgres::rollups::read::Rollups;
use crate::postgres::search::candidates::{NEAREST_ROWS, count_up_to};
use crate::postgres::search::term::IndexedTerm;
use crate::postgres::statement::{Bind, Sql};
use crate::postgres::timestamp;
use crate::store::range::{Order, SeqRange};

/// Counts the matching rows, up to `limit`.
pub(crate) async fn count(conn: &mut impl Execute, filters: &NormalizedFilters, limit: Option<i64>) -> Result<u64> {
    let Some(limit) = limit else {
        let Some(range) = range_of(conn, filters).await? else { return Ok(0) };
        let rows = match Rollups::find(conn, filters, range, Level::of(filters)).await? {
            Some(rollups) => rollups.count(),
            None => {
                let term = IndexedTerm::find(conn, filters).await?;
                Sql::new("SELECT count(*) FROM activity_log WHERE ").sql(all_rows(filters, term.as_ref(), range))
            }
        };
        let rows = conn.one::<i64, _>(rows.returning::<BigInt>()).await?;
        return Ok(rows.unsigned_abs());
    };
    if filters.match_nothing {
        return Ok(0);
    }
    let selection = Selection::find(conn, filters).await?;
    if selection.is_empty() {
        return Ok(0);
    }
    let mut parts = Parts::new(filters, SeqRange::default(), Order::Descending);
    let mut rows = 0;
    while rows < limit
        && let Some(part) = parts.next(conn).await?
    {
        let Some(term) = selection.term() else {
            rows += conn.one::<i64, _>(selection.count_up_to::<BigInt>(part, rounded(limit - rows))).await?;
            continue;
        };
        let (near, rest) = split_near(conn, &selection, part, Order::Descending, NEAREST_ROWS).await?;
        rows += conn.one::<i64, _>(selection.count_up_to::<BigInt>(near, rounded(limit - rows))).await?;
        if let Some(rest) = rest
            && rows < limit
        {
            rows += count_up_to(conn, filters, term, rest, rounded(limit - rows)).await?;
        }
    }
    Ok(rows.min(limit).unsigned_abs())
}

/// The most frequent values of a column among the matching rows.
pub(crate) async fn facets(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    facet: Facet,
    limit: u32,
) -> Result<Facets> {
    let Some(range) = range_of(conn, filters).await? else { return Ok(Facets::default()) };
    let column = match facet {
        Facet::Category => "category",
        Facet::Severity => "severity",
        Facet::Action => "action",
        Facet::Actor => "actor",
        Facet::EntityType => "entity_type",
    };
    let test = if facet == Facet::EntityType { " AND entity_type <> ''" } else { "" };
    let values = match Rollups::find(conn, filters, range, Level::with_facet(filters, facet)).await? {
        Some(rollups) => rollups.values(column, test),
        None => {
            let term = IndexedTerm::find(conn, filters).await?;
            Sql::new(format!("SELECT {column}, count(*) FROM activity_log WHERE "))
                .sql(all_rows(filters, term.as_ref(), range))
                .text(format!("{test} AND {column} IS NOT NULL GROUP BY {column} ORDER BY count(*) DESC, {column}"))
        }
    };
    let values = values.text(" LIMIT ").bind(i64::from(limit) + 1);
    let values = conn.load::<(String, i64), _>(values.returning::<(Text, BigInt)>()).await?;
    let mut values = values
        .into_iter()
        .map(|(value, entries)| FacetValue { value, entries: entries.unsigned_abs() })
        .collect::<Vec<_>>();
    let more = values.len() > limit as usize;
    values.truncate(limit as usize);
    Ok(Facets { values, more })
}

/// Counts the matching rows between each two neighbouring edges.
pub(crate) async fn histogram(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    edges: &Edges,
) -> Result<Vec<SeverityCounts>> {
    let mut histogram = vec![SeverityCounts::default(); edges.buckets()];
    let filters = filters.clone().within(edges.first(), edges.last());
    let Some(range) = range_of(conn, &filters).await? else { return Ok(histogram) };
    let counts = match Rollups::find(conn, &filters, range, Level::with_severity(&filters)).await? {
        Some(rollups) => rollups.buckets(edges),
        None => {
            let term = IndexedTerm::find(conn, &filters).await?;
            // Bucket 0 is before the first of these edges.
            let inner = edges.inner().map(timestamp::encode).collect();
            Sql::new("SELECT bucket, severity, count(*) FROM (SELECT severity, width_bucket(ts, ")
                .bind(Bind::Times(inner))
                .text(") AS bucket FROM activity_log WHERE ")
                .sql(all_rows(&filters, term.as_ref(), range))
                .text(") AS entry GROUP BY bucket, severity")
        }
    };
    for (bucket, severity, entries) in
        conn.load::<(i32, String, i64), _>(counts.returning::<(Integer, Text, BigInt)>()).await?
    {
        let counts = usize::try_from(bucket).ok().and_then(|bucket| histogram.get_mut(bucket));
        if let (Some(counts), Ok(severity)) = (counts, severity.parse::<ActivitySeverity>()) {
            *counts.of_mut(severity) += entries.unsigned_abs();
        }
    }
    Ok(histogram)
}

/// A range with all rows that match; `None` if no row can.
async fn range_of(conn: &mut impl Execute, filters: &NormalizedFilters) -> QueryResult<Option<SeqRange>> {
    if filters.match_nothing { Ok(None) } else { Parts::hull(conn, filters).await }
}
