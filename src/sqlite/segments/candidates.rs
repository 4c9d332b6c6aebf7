//! The parts of a range in which rows may match.

use std::collections::VecDeque;

use diesel::prelude::*;

use crate::sqlite::segments::extent::{segment_range, segments_exist, summarized_before};
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::store::range::{Order, SeqRange};

/// The ranges to look through, in the order of reading: runs of candidate segments, and the unsummarized rows.
#[derive(Debug)]
pub(crate) struct CandidateRanges<'a> {
    predicate: Option<SegmentPredicate<'a>>,
    order: Order,
    /// Where segments are still to be looked up.
    rest: Option<SeqRange>,
    limit: i64,
    found: VecDeque<SeqRange>,
    /// The unsummarized rows, if they are still to come.
    unsummarized: Option<SeqRange>,
}

impl<'a> CandidateRanges<'a> {
    /// The candidates within a range; the range itself without a predicate.
    pub(crate) fn new(
        conn: &mut SqliteConnection,
        predicate: Option<SegmentPredicate<'a>>,
        range: SeqRange,
        order: Order,
    ) -> QueryResult<Self> {
        let boundary = match predicate {
            Some(_) if segments_exist(conn)? => summarized_before(conn)?,
            _ => None,
        };
        let limit = predicate.map_or(0, |predicate| predicate.first_limit());
        let mut ranges = Self { predicate, order, rest: None, limit, found: VecDeque::new(), unsummarized: None };
        let Some(boundary) = boundary else {
            ranges.found.push_back(range);
            return Ok(ranges);
        };
        ranges.rest = Some(range.intersection(SeqRange::before(Some(boundary))));
        let unsummarized = range.intersection(SeqRange::from(boundary));
        match order {
            Order::Ascending => ranges.unsummarized = Some(unsummarized),
            Order::Descending => ranges.found.push_back(unsummarized),
        }
        Ok(ranges)
    }

    /// The next range; `None` if there are no more.
    pub(crate) fn next(&mut self, conn: &mut SqliteConnection) -> QueryResult<Option<SeqRange>> {
        while self.found.is_empty()
            && let Some(rest) = self.rest
            && let Some(predicate) = self.predicate
        {
            let segments = predicate.find(conn, rest, self.order, self.limit)?;
            self.add(rest, &segments);
        }
        Ok(self.found.pop_front())
    }

    /// Adds the segments found in a range, and remembers what is left of it.
    fn add(&mut self, range: SeqRange, segments: &[i64]) {
        self.rest = None;
        for (index, first) in segments.iter().enumerate() {
            let segment = segment_range(*first);
            self.push(range.intersection(segment));
            if index as i64 + 1 == self.limit {
                let next = match self.order {
                    Order::Ascending => {
                        SeqRange { after: segment.before.and_then(|end| end.checked_sub(1)), before: None }
                    }
                    Order::Descending => SeqRange::before(Some(*first)),
                };
                self.rest = Some(range.intersection(next));
            }
        }
        self.limit = self.limit.saturating_mul(4);
        if self.rest.is_none()
            && let Some(unsummarized) = self.unsummarized.take()
        {
            self.push(unsummarized);
        }
    }

    fn push(&mut self, range: SeqRange) {
        match self.found.back_mut() {
            Some(last) if let Some(joined) = last.joined(range, self.order) => *last = joined,
            _ => self.found.push_back(range),
        }
    }
}
