//! Reading rows in the order of `seq`, and counting them.

use std::collections::VecDeque;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::{max, min};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use crate::blocks::Runs;
use crate::row::StoredRow;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::search::{Trigrams, is_enabled, is_indexed};
use crate::span::{Order, Span};
use crate::sqlite::{AtMost, CountOf};
use crate::{ActivityLogFilters, Result};

/// How many numbers are looked through before the search index is asked: there a common term fills a page.
const NEAREST: i64 = 1_024;

/// Memory is reserved for so many rows at once: for a page, and for a batch of an export.
const RESERVED_ROWS: usize = 512;

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

/// What is read, in which order, and how much of it.
struct Reading<'a> {
    filters: &'a ActivityLogFilters,
    order: Order,
    most: Most,
}

/// Fills a batch anew with the first rows of a span that match; with fewer than `most` when there are no more.
pub(crate) fn read(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
    span: Span,
    order: Order,
    most: Most,
    batch: &mut Batch,
) -> Result<()> {
    let reading = Reading { filters, order, most };
    by_index_if_there(conn, filters, |conn, indexed| reading.read(conn, span, indexed, batch))
}

/// Does `work` by the index of the messages, if there is one that serves the filters; without, where another connection
/// removes it meanwhile.
fn by_index_if_there<T>(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
    mut work: impl FnMut(&mut SqliteConnection, bool) -> Result<T>,
) -> Result<T> {
    // Refused before anything is looked for.
    filters.check()?;
    let indexed = is_indexed(conn, filters)?;
    match work(conn, indexed) {
        Err(_) if indexed && !is_enabled(conn)? => work(conn, false),
        outcome => outcome,
    }
}

impl Reading<'_> {
    fn read(&self, conn: &mut SqliteConnection, span: Span, indexed: bool, batch: &mut Batch) -> Result<()> {
        batch.rows.clear();
        batch.rows.reserve(usize::try_from(self.most.rows).unwrap_or(usize::MAX).min(RESERVED_ROWS));
        batch.bytes = 0;
        let Some(window) = self.filters.window() else {
            return Ok(());
        };
        let mut runs = Runs::of(conn, window, span, self.order)?;
        while let Some(run) = runs.next(conn)? {
            if indexed {
                self.append_indexed(conn, run, batch)?;
            } else {
                self.append(conn, run, None, batch)?;
            }
            if batch.is_full(self.most) {
                break;
            }
        }
        Ok(())
    }

    fn append_indexed(&self, conn: &mut SqliteConnection, mut span: Span, batch: &mut Batch) -> Result<()> {
        let Some(seq) = nearest(conn, span, self.order)? else {
            return Ok(());
        };
        let (part, rest) = span.split(self.order, seq);
        self.append(conn, part, None, batch)?;
        match rest {
            Some(rest) if !batch.is_full(self.most) => span = rest,
            _ => return Ok(()),
        }
        let trigrams = Trigrams::rarest(conn, self.filters)?;
        let rest = trigrams.until_enough(conn, span, self.order, self.most.rows, |conn, listed| {
            self.append(conn, Span::default(), Some(listed), batch)?;
            Ok(batch.is_full(self.most))
        })?;
        rest.map_or(Ok(()), |rest| self.append(conn, rest, None, batch))
    }

    fn append(
        &self,
        conn: &mut SqliteConnection,
        span: Span,
        candidates: Option<&[i64]>,
        batch: &mut Batch,
    ) -> Result<()> {
        let query = self.filters.to_query(span, candidates)?;
        let query = match self.order {
            Order::Ascending => query.order(activity_log::seq.asc()),
            Order::Descending => query.order(activity_log::seq.desc()),
        };
        let rows = self.most.rows - batch.rows.len() as i64;
        let query = AtMost { rows, of: query.select(activity_log::all_columns) };
        for row in query.load_iter::<StoredRow, DefaultLoadingMode>(conn)? {
            let row = row?;
            batch.bytes = batch.bytes.saturating_add(row.len());
            batch.rows.push_back(row);
            if batch.bytes >= self.most.bytes {
                break;
            }
        }
        Ok(())
    }
}

/// The last `seq` of the part that is looked through without the index; `None` in an empty log.
///
/// It is none that is yet to be given: reading on behind it, one would miss the rows that got a smaller one meanwhile.
fn nearest(conn: &mut SqliteConnection, span: Span, order: Order) -> QueryResult<Option<i64>> {
    let Some(newest) = activity_log::table.select(max(activity_log::seq)).get_result::<Option<i64>>(conn)? else {
        return Ok(None);
    };
    if order == Order::Descending {
        let start = span.before.map_or(newest, |before| before.min(newest.saturating_add(1)));
        return Ok(Some(start.saturating_sub(NEAREST)));
    }
    let start = match span.after {
        Some(after) => Some(after),
        None => activity_log::table.select(min(activity_log::seq)).get_result(conn)?,
    };
    Ok(start.map(|start| start.saturating_add(NEAREST).min(newest)))
}

/// How many rows match, up to `most`.
pub(crate) fn count(conn: &mut SqliteConnection, filters: &ActivityLogFilters, most: Option<i64>) -> Result<u64> {
    if filters.are_of_time_alone() {
        return count_of(conn, filters.to_query_by_time()?, most);
    }
    by_index_if_there(conn, filters, |conn, indexed| count_run_by_run(conn, filters, indexed, most))
}

fn count_run_by_run(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
    indexed: bool,
    most: Option<i64>,
) -> Result<u64> {
    let trigrams = if indexed { Some(Trigrams::rarest(conn, filters)?) } else { None };
    let Some(window) = filters.window() else {
        return Ok(0);
    };
    let mut count = 0;
    let left = |count| most.map(|most| most.saturating_sub_unsigned(count));
    let mut runs = Runs::of(conn, window, Span::default(), Order::Ascending)?;
    while left(count) != Some(0)
        && let Some(run) = runs.next(conn)?
    {
        let rest = match &trigrams {
            Some(trigrams) => {
                let rows = left(count).unwrap_or(i64::MAX);
                trigrams.until_enough(conn, run, Order::Ascending, rows, |conn, listed| {
                    count += count_of(conn, filters.to_query(Span::default(), Some(listed))?, left(count))?;
                    Ok(left(count) == Some(0))
                })?
            }
            None => Some(run),
        };
        if let Some(rest) = rest {
            count += count_of(conn, filters.to_query(rest, None)?, left(count))?;
        }
    }
    Ok(count)
}

fn count_of(conn: &mut SqliteConnection, query: BoxedQuery<'_, Sqlite>, most: Option<i64>) -> Result<u64> {
    let count = match most {
        None => query.count().get_result::<i64>(conn)?,
        Some(rows) => CountOf(AtMost { rows, of: query.select(activity_log::seq) }).get_result(conn)?,
    };
    Ok(count.unsigned_abs())
}
