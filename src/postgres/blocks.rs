//! Time windows, by blocks of 16,384 consecutive `seq`: the index on the block and the time finds the blocks that have rows
//! in a window, without looking at these rows.

use std::borrow::Cow;
use std::collections::VecDeque;

use diesel::prelude::QueryResult;
use diesel::sql_types::{Array, BigInt};

use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::conditions::of_time;
use crate::postgres::distributed::is_distributed;
use crate::postgres::execute::Execute;
use crate::postgres::query::direction;
use crate::postgres::statement::{Bind, Sql, Statement};
use crate::store::range::{Order, SeqRange};

/// The migration says the same.
const BLOCK_BITS: u32 = 14;
pub(crate) const BLOCK_ROWS: i64 = 1 << BLOCK_BITS;
/// How many blocks one statement looks at, and how many it finds at most.
const LOOKED_AT: i64 = 1_024;
const FOUND: usize = 64;
/// How many blocks one statement looks at in a distributed log, where it reads each row that it finds.
const FEW_LOOKED_AT: i64 = 4;

/// The parts of a range in which rows may be within the time bounds of filters, in order.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    filters: &'a NormalizedFilters,
    order: Order,
    /// What is still to be looked at.
    rest: Option<SeqRange>,
    found: VecDeque<SeqRange>,
    /// How many blocks the next statement looks at.
    looked_at: i64,
    /// Unknown before the first statement.
    is_distributed: Option<bool>,
}

/// The result of one look.
struct Look {
    /// The last block that it looked at.
    last: i64,
    /// Those with rows within the time bounds, in order.
    blocks: Vec<i64>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(filters: &'a NormalizedFilters, range: SeqRange, order: Order) -> Self {
        let rest = Some(range).filter(|range| !range.is_empty());
        let is_bounded = filters.since.is_some() || filters.until.is_some();
        let (rest, found) = if is_bounded { (rest, None) } else { (None, rest) };
        let found = found.into_iter().collect();
        Self { filters, order, rest, found, looked_at: LOOKED_AT, is_distributed: None }
    }

    /// A range with all rows within the time bounds; `None` if there are none.
    pub(crate) async fn hull(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Option<SeqRange>> {
        let mut upward = Self::new(filters, SeqRange::default(), Order::Ascending);
        let Some(oldest) = upward.next(conn).await? else { return Ok(None) };
        let mut downward = Self::new(filters, SeqRange { before: None, ..oldest }, Order::Descending);
        Ok(downward.next(conn).await?.map(|newest| SeqRange { before: newest.before, ..oldest }))
    }

    /// The next part.
    pub(crate) async fn next(&mut self, conn: &mut impl Execute) -> QueryResult<Option<SeqRange>> {
        while self.found.is_empty()
            && let Some(rest) = self.rest.take()
        {
            let Some(Look { last, blocks }) = self.look(conn, rest).await? else { break };
            let last = blocks.last().copied().filter(|_| blocks.len() == FOUND).unwrap_or(last);
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

    async fn look(&mut self, conn: &mut impl Execute, range: SeqRange) -> QueryResult<Option<Look>> {
        let is_distributed = match self.is_distributed {
            Some(is_distributed) => is_distributed,
            None => {
                let is_distributed = is_distributed(conn).await?;
                self.is_distributed = Some(is_distributed);
                if is_distributed {
                    self.looked_at = FEW_LOOKED_AT;
                }
                is_distributed
            }
        };
        if !is_distributed {
            let looked = conn.first::<(i64, Vec<i64>), _>(self.blocks(range)).await?;
            return Ok(looked.map(|(first, blocks)| Look { last: self.last_from(first), blocks }));
        }
        let first = Sql::new("SELECT seq >> 14 FROM activity_log WHERE TRUE").within(range, "seq", 0);
        let first = first.text(format!(" ORDER BY seq {} LIMIT 1", direction(self.order)));
        let Some(first) = conn.first::<i64, _>(first.returning::<BigInt>()).await? else { return Ok(None) };
        let last = self.last_from(first);
        let blocks = (first.min(last)..=first.max(last)).collect::<Vec<_>>();
        let found = conn.load::<i64, _>(self.listed_blocks(blocks)).await?;
        // Where there are rows, the next ones are probably near, and reading them all takes long.
        self.looked_at = if found.is_empty() { (self.looked_at * 8).min(LOOKED_AT) } else { FEW_LOOKED_AT };
        Ok(Some(Look { last, blocks: found }))
    }

    /// The last block that the next statement looks at, from the first one that has rows.
    fn last_from(&self, first: i64) -> i64 {
        match self.order {
            Order::Ascending => first.saturating_add(self.looked_at - 1),
            Order::Descending => first.saturating_sub(self.looked_at - 1),
        }
    }

    /// Those of the listed blocks that have rows within the time bounds, for a distributed log.
    fn listed_blocks(&self, blocks: Vec<i64>) -> Statement<'a, BigInt> {
        let rows = Sql::new("SELECT DISTINCT seq >> 14 AS block FROM activity_log WHERE seq >> 14 = ANY(");
        let rows = rows.bind(Bind::Numbers(Cow::Owned(blocks))).text(")").sql(of_time(self.filters));
        rows.text(format!(" ORDER BY block {} LIMIT {FOUND}", direction(self.order))).returning()
    }

    /// Finds blocks in one statement.
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
        let rows = rows.sql(of_time(self.filters));
        rows.text(format!(" ORDER BY ts LIMIT 1) LIMIT {FOUND}) FROM first")).returning()
    }
}

/// The `seq` of a block.
fn seqs_of(block: i64) -> SeqRange {
    let first = block.checked_mul(BLOCK_ROWS);
    let after = first.and_then(|first| first.checked_sub(1));
    SeqRange { after, before: first.and_then(|first| first.checked_add(BLOCK_ROWS)) }
}
