//! The buckets of a histogram, in SQL.

use crate::model::histogram::{Edges, SeverityCounts};
use crate::sqlite::timestamp::{Bound, lower_bound};

/// Adds to a bucket. A severity that this crate does not know is not counted.
pub(crate) fn add_to(histogram: &mut [SeverityCounts], bucket: i64, severity: &str, entries: i64) {
    let Some(counts) = usize::try_from(bucket).ok().and_then(|bucket| histogram.get_mut(bucket)) else { return };
    if let Ok(severity) = severity.parse() {
        *counts.of_mut(severity) += entries.unsigned_abs();
    }
}

/// The stored forms of the inner edges, in order.
pub(crate) struct Buckets(Vec<String>);

impl Buckets {
    pub(crate) fn new(edges: &Edges) -> Self {
        let text = |edge| match lower_bound(edge) {
            Bound::Text(text) => text,
            // Sorts before, or after, any stored time.
            Bound::All => String::new(),
            Bound::None => "~".to_owned(),
        };
        Self(edges.inner().map(text).collect())
    }

    /// The inner edges.
    pub(crate) fn edges(&self) -> &[String] {
        &self.0
    }

    /// The number of the bucket, counted from 0, to which the time in a column belongs: a binary search.
    pub(crate) fn bucket_of(&self, column: &str) -> String {
        search(column, &self.0, 0)
    }

    /// Whether all rows of a segment are in one bucket.
    pub(crate) fn is_undivided(&self) -> String {
        format!("({}) = ({})", self.bucket_of("min_ts"), self.bucket_of("max_ts"))
    }
}

fn search(column: &str, edges: &[String], first: usize) -> String {
    let middle = edges.len() / 2;
    match (edges.get(..middle), edges.get(middle), edges.get(middle + 1..)) {
        (Some(before), Some(edge), Some(after)) => format!(
            "CASE WHEN {column} < '{edge}' THEN {} ELSE {} END",
            search(column, before, first),
            search(column, after, first + middle + 1)
        ),
        _ => first.to_string(),
    }
}
