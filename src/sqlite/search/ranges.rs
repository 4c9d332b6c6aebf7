//! Which parts of a range the index serves.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::sqlite::segments::extent::{growing_segment, segment_range, summarized_before};
use crate::sqlite::segments::schema::activity_log_segments::{first_seq, table};
use crate::store::range::{Order, SeqRange};

/// The parts of the log that a search looks through row by row, by `seq` ascending.
#[derive(Debug)]
pub(crate) struct OutsideIndex(Vec<SeqRange>);

impl OutsideIndex {
    /// The segments that are not in the index, and the unsummarized rows.
    pub(crate) fn find(conn: &mut SqliteConnection) -> QueryResult<Self> {
        let (Some(boundary), Some(growing)) = (summarized_before(conn)?, growing_segment(conn)?) else {
            return Ok(Self(vec![SeqRange::default()]));
        };
        // In a log whose numbers began again, later segments describe numbers that are about to be given.
        let boundary = boundary.min(growing);
        let segments = table
            .select(first_seq)
            .filter(sql::<Bool>("NOT in_search"))
            .filter(first_seq.lt(boundary))
            .order(first_seq)
            .load::<i64>(conn)?;
        let mut ranges: Vec<SeqRange> = Vec::new();
        for range in segments.into_iter().map(segment_range).chain([SeqRange::from(boundary)]) {
            match ranges.last_mut() {
                Some(last) if let Some(joined) = last.joined(range, Order::Ascending) => *last = joined,
                _ => ranges.push(range),
            }
        }
        Ok(Self(ranges))
    }

    /// The parts of a range in the order of reading, and whether the index serves each.
    pub(crate) fn split(&self, range: SeqRange, order: Order) -> Vec<(SeqRange, bool)> {
        let mut parts = Vec::new();
        let mut rest = range;
        for outside in &self.0 {
            if let Some(after) = outside.after {
                parts.push((rest.intersection(SeqRange::through(after)), true));
            }
            parts.push((rest.intersection(*outside), false));
            match outside.before {
                Some(before) => rest = rest.intersection(SeqRange::from(before)),
                None => break,
            }
        }
        parts.retain(|(part, _)| !part.is_empty());
        if order == Order::Descending {
            parts.reverse();
        }
        parts
    }
}
