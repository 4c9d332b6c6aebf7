//! The most frequent values of a column.

use std::cmp::Reverse;

use diesel::prelude::*;

use crate::error::Result;
use crate::model::facet::{Facet, FacetValue, Facets};
use crate::model::normalized_filters::NormalizedFilters;
use crate::sqlite::facet_values::{Frequencies, add_frequencies};
use crate::sqlite::query::Selection;
use crate::sqlite::scopes::{for_each_range, for_each_scope};
use crate::sqlite::segments::extent::segments_exist;
use crate::sqlite::segments::facets::{MAX_LISTED, frequencies, most_frequent};
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::segments::rollup::Rollup;
use crate::sqlite::transaction::with_read_transaction;

/// The most frequent values of a column among the matching rows.
pub(crate) fn facets(
    conn: &mut SqliteConnection,
    filters: &NormalizedFilters,
    facet: Facet,
    limit: u32,
) -> Result<Facets> {
    let Some(selection) = Selection::new(filters) else { return Ok(Facets::default()) };
    let values = limit as usize;
    with_read_transaction(conn, |conn| {
        let mut found = Frequencies::new();
        if !filters.restrict_kind_and_time_only() || !segments_exist(conn)? {
            for_each_scope(conn, &selection, i64::MAX, |conn, scope| {
                add_frequencies(conn, facet, selection.matching(scope), "count(*)", "", &mut found)?;
                Ok(false)
            })?;
            return Ok(top(found, values));
        }
        let uncounted = SegmentPredicate::uncounted(&selection, Some(Rollup::new(filters)));
        for_each_range(conn, Some(uncounted), |conn, range| {
            add_frequencies(conn, facet, selection.matching(range.into()), "count(*)", "", &mut found)?;
            Ok(false)
        })?;
        // A value that is not UTF-8 cannot be looked for.
        let can_look_for = found.len() <= MAX_LISTED && !found.keys().any(|value| value.contains('\u{FFFD}'));
        // The values found so far may change the ranking, so this asks for that many more, and for one that tells
        // whether there are more.
        let wanted = can_look_for.then(|| (values + found.len()).saturating_add(1));
        let mut summarized = most_frequent(conn, &selection, facet, wanted)?;
        if can_look_for {
            let unknown = found.keys().filter(|value| !summarized.contains_key(*value)).cloned().collect::<Vec<_>>();
            summarized.extend(frequencies(conn, &selection, facet, &unknown)?);
        }
        for (value, entries) in found {
            *summarized.entry(value).or_default() += entries;
        }
        Ok(top(summarized, values))
    })
}

/// The first `limit` values.
fn top(frequencies: Frequencies, limit: usize) -> Facets {
    let values = frequencies.into_iter().map(|(value, entries)| FacetValue { value, entries });
    let mut values = values.collect::<Vec<_>>();
    values.sort_unstable_by(|a, b| (Reverse(a.entries), &a.value).cmp(&(Reverse(b.entries), &b.value)));
    let more = values.len() > limit;
    values.truncate(limit);
    Facets { values, more }
}
