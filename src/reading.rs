//! Reading rows in the order of `seq`.

use std::collections::VecDeque;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::{max, min};
use diesel::prelude::*;

use crate::row::StoredRow;
use crate::schema::activity_log;
use crate::search::{Trigrams, is_indexed};
use crate::sqlite::{AtMost, CountOf};
use crate::{ActivityLogFilters, Result};

/// How many candidates of the search index are looked at before the log itself is: enough for any term on its own, and
/// not too many beside a filter that hardly any of them passes.
const MOST_CANDIDATES: i64 = 16_384;

/// How many numbers are looked through before the search index is asked: there a common term fills a page.
const NEAREST: i64 = 1_024;

/// Memory is reserved for so many rows at once: for a page, and for a batch of an export.
const RESERVED_ROWS: usize = 512;

/// A range of `seq`, its ends exclusive.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) after: Option<i64>,
    pub(crate) before: Option<i64>,
}

impl Span {
    /// What is read up to and with `seq`, and what is left then.
    fn split(self, order: Order, seq: i64) -> (Self, Self) {
        match order {
            Order::Ascending => {
                let end = seq.saturating_add(1);
                let before = self.before.map_or(end, |before| before.min(end));
                (Self { before: Some(before), ..self }, Self { after: Some(seq), ..self })
            }
            Order::Descending => {
                let end = seq.saturating_sub(1);
                let after = self.after.map_or(end, |after| after.max(end));
                (Self { after: Some(after), ..self }, Self { before: Some(seq), ..self })
            }
        }
    }

    /// The `seq` that is so many numbers from where reading begins; `None` in an empty log.
    fn step(self, conn: &mut SqliteConnection, order: Order, numbers: i64) -> QueryResult<Option<i64>> {
        let seqs = activity_log::table;
        Ok(match order {
            Order::Ascending => match self.after {
                Some(after) => Some(after),
                None => seqs.select(min(activity_log::seq)).get_result(conn)?,
            }
            .map(|start| start.saturating_add(numbers)),
            Order::Descending => match self.before {
                Some(before) => Some(before),
                None => seqs.select(max(activity_log::seq)).get_result(conn)?,
            }
            .map(|start| start.saturating_sub(numbers)),
        })
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// How much to read: it ends with the row that reaches either.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    pub(crate) rows: i64,
    /// Of text.
    pub(crate) bytes: usize,
}

impl Most {
    pub(crate) fn rows(rows: i64) -> Self {
        Self { rows, bytes: usize::MAX }
    }
}

/// Rows in the order in which they were read.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) rows: VecDeque<StoredRow>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn is_full(&self, most: Most) -> bool {
        self.rows.len() as i64 >= most.rows || self.bytes >= most.bytes
    }
}

/// Fills an empty batch with the first rows of a span that match; with fewer than `most` when there are no more.
pub(crate) fn read(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
    mut span: Span,
    order: Order,
    most: Most,
    batch: &mut Batch,
) -> Result<()> {
    batch.bytes = 0;
    batch.rows.reserve(usize::try_from(most.rows).unwrap_or(usize::MAX).min(RESERVED_ROWS));
    if most.rows > 0 && is_indexed(conn, filters)? {
        if let Some(seq) = span.step(conn, order, NEAREST)? {
            let (part, rest) = span.split(order, seq);
            append(conn, filters, part, None, order, most, batch)?;
            if batch.is_full(most) {
                return Ok(());
            }
            span = rest;
        }
        let trigrams = Trigrams::rarest(conn, filters)?;
        let mut candidates = most.rows.saturating_mul(2).min(MOST_CANDIDATES);
        while candidates <= MOST_CANDIDATES {
            let Some(seq) = trigrams.nth(conn, span, order, candidates)? else {
                return append(conn, filters, span, Some(&trigrams), order, most, batch);
            };
            let (part, rest) = span.split(order, seq);
            append(conn, filters, part, Some(&trigrams), order, most, batch)?;
            if batch.is_full(most) {
                return Ok(());
            }
            span = rest;
            candidates *= 4;
        }
    }
    append(conn, filters, span, None, order, most, batch)
}

fn append(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
    span: Span,
    trigrams: Option<&Trigrams>,
    order: Order,
    most: Most,
    batch: &mut Batch,
) -> Result<()> {
    let query = filters.to_query(span, trigrams)?;
    let query = match order {
        Order::Ascending => query.order(activity_log::seq.asc()),
        Order::Descending => query.order(activity_log::seq.desc()),
    };
    let query = AtMost { rows: most.rows - batch.rows.len() as i64, of: query.select(StoredRow::as_select()) };
    for row in query.load_iter::<StoredRow, DefaultLoadingMode>(conn)? {
        let row = row?;
        batch.bytes = batch.bytes.saturating_add(row.len());
        batch.rows.push_back(row);
        if batch.bytes >= most.bytes {
            break;
        }
    }
    Ok(())
}

/// How many rows match, up to `most`.
pub(crate) fn count(conn: &mut SqliteConnection, filters: &ActivityLogFilters, most: Option<i64>) -> Result<u64> {
    let mut trigrams = None;
    if is_indexed(conn, filters)? {
        let rarest = Trigrams::rarest(conn, filters)?;
        let many = rarest.nth(conn, Span::default(), Order::Ascending, MOST_CANDIDATES)?.is_some();
        trigrams = (!many).then_some(rarest);
    }
    let query = filters.to_unordered_query(trigrams.as_ref())?;
    let count = match most {
        None => query.count().get_result::<i64>(conn)?,
        Some(most) => CountOf(AtMost { rows: most, of: query.select(activity_log::seq) }).get_result(conn)?,
    };
    Ok(count.unsigned_abs())
}
