//! The most frequent values of a column, from the rollups.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use crate::model::facet::Facet;
use crate::sqlite::conditions::{Condition, any_of, texts};
use crate::sqlite::facet_values::{Frequencies, add_frequencies};
use crate::sqlite::query::Selection;
use crate::sqlite::segments::predicate::counted_segments;
use crate::sqlite::segments::rollup::Rollup;
use crate::sqlite::segments::schema::activity_log_segment_rollups::{self as rollups, BoxedQuery};

/// How many values one statement looks for.
pub(crate) const MAX_LISTED: usize = 512;

/// How many rows of the [counted segments](counted_segments) have each of the `limit` most frequent values, or each
/// value.
pub(crate) fn most_frequent(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    facet: Facet,
    limit: Option<usize>,
) -> QueryResult<Frequencies> {
    let order = limit.map_or_else(String::new, |limit| format!("ORDER BY 2 DESC, 1 LIMIT {limit}"));
    load(conn, facet, counted(selection, facet), &order)
}

/// How many rows of the counted segments have each of these values, at most [`MAX_LISTED`].
pub(crate) fn frequencies(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    facet: Facet,
    values: &[String],
) -> QueryResult<Frequencies> {
    if values.is_empty() {
        return Ok(Frequencies::new());
    }
    load(conn, facet, counted(selection, facet).filter(has_any(facet, values)), "")
}

fn counted<'a>(selection: &'a Selection<'_>, facet: Facet) -> BoxedQuery<'a, Sqlite> {
    let counted = rollups::table.filter(rollups::first_seq.eq_any(counted_segments(&selection.times, None)));
    counted.into_boxed().filter(Rollup::with_facet(selection.filters, facet).condition())
}

fn load(
    conn: &mut SqliteConnection,
    facet: Facet,
    rows: BoxedQuery<'_, Sqlite>,
    order: &str,
) -> QueryResult<Frequencies> {
    let mut found = Frequencies::new();
    add_frequencies(conn, facet, rows, "sum(entries)", order, &mut found)?;
    Ok(found)
}

fn has_any(facet: Facet, values: &[String]) -> Condition<'_, rollups::table> {
    let values = texts(values);
    match facet {
        Facet::Category => any_of(rollups::category, values, true),
        Facet::Severity => any_of(rollups::severity, values, true),
        Facet::Action => any_of(rollups::action, values, true),
        Facet::Actor => any_of(rollups::actor, values, true),
        Facet::EntityType => any_of(rollups::entity_type, values, true),
    }
}
