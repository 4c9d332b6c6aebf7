//! Time windows, by blocks of 16,384 consecutive `seq`: the index on the block and the time finds the blocks that have rows
//! in a window, without looking at these rows.

use std::collections::VecDeque;

use diesel::prelude::QueryResult;
use diesel::sql_types::{Array, BigInt};

use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::execute::Execute;
use crate::postgres::statement::{Sql, Statement};
use crate::store::range::{Order, SeqRange};

/// The migration says the same.
const BLOCK_BITS: u32 = 14;
pub(crate) const BLOCK_ROWS: i64 = 1 << BLOCK_BITS;
/// How many blocks one statement looks at, and how many it finds at most.
const LOOKED_AT: i64 = 1_024;
const FOUND: usize = 64;

/// The parts of a range in which rows may be within the time bounds of filters, in order.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    filters: &'a NormalizedFilters,
    order: Order,
    /// What is still to be looked at.
    rest: Option<SeqRange>,
    found: VecDeque<SeqRange>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(filters: &'a NormalizedFilters, range: SeqRange, order: Order) -> Self {
        let rest = Some(range).filter(|range| !range.is_empty());
        if filters.since.is_none() && filters.until.is_none() {
            return Self { filters, order, rest: None, found: rest.into_iter().collect() };
        }
        Self { filters, order, rest, found: VecDeque::new() }
    }

    /// A range with all rows within the time bounds; `None` if there are none.
    pub(crate) async fn hull(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Option<SeqRange>> {
        let mut parts = Self::new(filters, SeqRange::default(), Order::Ascending);
        let mut hull = parts.next(conn).await?;
        while let Some(hull) = &mut hull
            && let Some(part) = parts.next(conn).await?
        {
            hull.before = part.before;
        }
        Ok(hull)
    }

    /// The next part.
    pub(crate) async fn next(&mut self, conn: &mut impl Execute) -> QueryResult<Option<SeqRange>> {
        while self.found.is_empty()
            && let Some(rest) = self.rest.take()
        {
            let found = conn.first::<(i64, Vec<i64>), _>(self.blocks(rest)).await?;
            let Some((first, blocks)) = found else { break };
            let last = match (self.order, blocks.last()) {
                (_, Some(last)) if blocks.len() == FOUND => *last,
                (Order::Ascending, _) => first.saturating_add(LOOKED_AT - 1),
                (Order::Descending, _) => first.saturating_sub(LOOKED_AT - 1),
            };
            let end = match self.order {
                Order::Ascending => seqs_of(last).before.and_then(|before| before.checked_sub(1)),
                Order::Descending => seqs_of(last).after.and_then(|after| after.checked_add(1)),
            };
            self.rest = end.and_then(|end| rest.split(self.order, end).1).filter(|rest| !rest.is_empty());
            for block in blocks {
                let part = rest.intersection(seqs_of(block));
                match self.found.back_mut().and_then(|last| Some((last.joined(part, self.order)?, last))) {
                    Some((joined, last)) => *last = joined,
                    None => self.found.push_back(part),
                }
            }
        }
        Ok(self.found.pop_front())
    }

    /// The first block that has rows, and those of the blocks from there on that have rows within the time bounds.
    fn blocks(&self, range: SeqRange) -> Statement<'a, (BigInt, Array<BigInt>)> {
        let mut rows = Sql::new("WITH first AS (SELECT seq >> 14 AS block FROM activity_log WHERE TRUE");
        rows = rows.within(range, "seq", 0);
        let last = LOOKED_AT - 1;
        let (direction, opposite, step, last) = match self.order {
            Order::Ascending => ("ASC", "DESC", "1", format!("least(first.block + {last}")),
            Order::Descending => ("DESC", "ASC", "-1", format!("greatest(first.block - {last}")),
        };
        // A series keeps its order, and so the search ends with the last block that is asked for. EXISTS would become a
        // join, for which the planner may read the whole table.
        rows = rows.text(format!(
            " ORDER BY seq {direction} LIMIT 1) \
            SELECT first.block, ARRAY( \
                SELECT block FROM generate_series(first.block, \
                    {last}, (SELECT seq >> 14 FROM activity_log ORDER BY seq {opposite} LIMIT 1)), {step}) AS block \
                WHERE (SELECT TRUE FROM activity_log WHERE seq >> 14 = block"
        ));
        if let Some(since) = self.filters.since {
            rows = rows.text(" AND ts >= ").bind(since);
        }
        if let Some(until) = self.filters.until {
            rows = rows.text(" AND ts <= ").bind(until);
        }
        rows.text(format!(" ORDER BY ts LIMIT 1) LIMIT {FOUND}) FROM first")).returning()
    }
}

/// The `seq` of a block.
fn seqs_of(block: i64) -> SeqRange {
    let first = block.checked_mul(BLOCK_ROWS);
    let after = first.and_then(|first| first.checked_sub(1));
    SeqRange { after, before: first.and_then(|first| first.checked_add(BLOCK_ROWS)) }
}
