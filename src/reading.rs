//! Reading rows in the order of `seq`, and counting them.

use std::collections::VecDeque;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::{max, min};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use crate::filters::Among;
use crate::row::StoredRow;
use crate::runs::Runs;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::search::{Trigrams, is_indexed};
use crate::span::{Order, Span};
use crate::sqlite::{AtMost, CountOf, in_one_snapshot};
use crate::{ActivityLogFilters, Result, chapters, entity_types};

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
    batch.rows.clear();
    batch.rows.reserve(usize::try_from(most.rows).unwrap_or(usize::MAX).min(RESERVED_ROWS));
    batch.bytes = 0;
    let reading = Reading { filters, order, most };
    if filters.are_of_one_query() {
        return reading.append(conn, Among { span, ..Among::default() }, batch);
    }
    // Refused before anything is looked for.
    filters.check()?;
    in_one_snapshot(conn, |conn| reading.read(conn, span, batch))
}

impl Reading<'_> {
    fn read(&self, conn: &mut SqliteConnection, span: Span, batch: &mut Batch) -> Result<()> {
        let types = entity_types::of_id_alone(conn, self.filters)?;
        if types.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let indexed = is_indexed(conn, self.filters)?;
        let mut trigrams = None;
        each_run(conn, self.filters, indexed, span, self.order, |conn, span| {
            let among = Among { span, types: types.as_deref(), candidates: None };
            if indexed {
                self.append_indexed(conn, among, &mut trigrams, batch)?;
            } else {
                self.append(conn, among, batch)?;
            }
            Ok(batch.is_full(self.most))
        })
    }

    fn append_indexed(
        &self,
        conn: &mut SqliteConnection,
        among: Among<'_>,
        trigrams: &mut Option<Trigrams>,
        batch: &mut Batch,
    ) -> Result<()> {
        let Some(seq) = nearest(conn, among.span, self.order)? else {
            return Ok(());
        };
        let (part, rest) = among.span.split(self.order, seq);
        self.append(conn, Among { span: part, ..among }, batch)?;
        let Some(rest) = rest.filter(|_| !batch.is_full(self.most)) else {
            return Ok(());
        };
        let trigrams = match trigrams {
            Some(rarest) => rarest,
            None => trigrams.insert(Trigrams::rarest(conn, self.filters)?),
        };
        let rest = trigrams.until_enough(conn, rest, self.order, self.most.rows, |conn, listed| {
            self.append(conn, Among { candidates: Some(listed), ..among }, batch)?;
            Ok(batch.is_full(self.most))
        })?;
        rest.map_or(Ok(()), |span| self.append(conn, Among { span, ..among }, batch))
    }

    fn append(&self, conn: &mut SqliteConnection, among: Among<'_>, batch: &mut Batch) -> Result<()> {
        let query = self.filters.to_query(among)?;
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
fn nearest(conn: &mut SqliteConnection, span: Span, order: Order) -> QueryResult<Option<i64>> {
    let start = match order {
        Order::Ascending if span.after.is_some() => span.after,
        Order::Ascending => activity_log::table.select(min(activity_log::seq)).get_result(conn)?,
        Order::Descending if span.before.is_some() => span.before,
        Order::Descending => activity_log::table.select(max(activity_log::seq)).get_result(conn)?,
    };
    Ok(start.map(|start| match order {
        Order::Ascending => start.saturating_add(NEAREST),
        Order::Descending => start.saturating_sub(NEAREST),
    }))
}

/// Gives to `work`, in order, the runs of a span in which there may be matching rows, until that has enough.
fn each_run(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
    indexed: bool,
    span: Span,
    order: Order,
    mut work: impl FnMut(&mut SqliteConnection, Span) -> Result<bool>,
) -> Result<()> {
    let Some(window) = filters.window() else {
        return Ok(());
    };
    // The index of the messages finds what it finds anywhere.
    let meeting = if indexed { None } else { filters.meeting()? };
    let mut in_time = Runs::of(conn, window, span, order)?;
    while let Some(run) = in_time.next(conn)? {
        let mut runs = Runs::of(conn, meeting.clone(), run, order)?;
        while let Some(run) = runs.next(conn)? {
            if work(conn, run)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// How many rows match, up to `most`.
pub(crate) fn count(conn: &mut SqliteConnection, filters: &ActivityLogFilters, most: Option<i64>) -> Result<u64> {
    if most.is_none() && filters.are_of_kind_alone() && chapters::are_worthwhile(conn, filters)? {
        return chapters::count(conn, filters);
    }
    if filters.are_of_time_alone() {
        return count_of(conn, filters.to_query_by_time()?, most);
    }
    if filters.are_of_one_query() {
        return count_of(conn, filters.to_query(Among::default())?, most);
    }
    filters.check()?;
    in_one_snapshot(conn, |conn| count_run_by_run(conn, filters, most))
}

fn count_run_by_run(conn: &mut SqliteConnection, filters: &ActivityLogFilters, most: Option<i64>) -> Result<u64> {
    let indexed = is_indexed(conn, filters)?;
    let trigrams = if indexed { Some(Trigrams::rarest(conn, filters)?) } else { None };
    let mut count = 0;
    let left = |count| most.map(|most| most.saturating_sub_unsigned(count));
    each_run(conn, filters, indexed, Span::default(), Order::Ascending, |conn, run| {
        let rest = match &trigrams {
            Some(trigrams) => {
                let rows = left(count).unwrap_or(i64::MAX);
                trigrams.until_enough(conn, run, Order::Ascending, rows, |conn, listed| {
                    count += count_of(
                        conn,
                        filters.to_query(Among { candidates: Some(listed), ..Among::default() })?,
                        left(count),
                    )?;
                    Ok(left(count) == Some(0))
                })?
            }
            None => Some(run),
        };
        if let Some(rest) = rest {
            count += count_of(conn, filters.to_query(Among { span: rest, ..Among::default() })?, left(count))?;
        }
        Ok(left(count) == Some(0))
    })?;
    Ok(count)
}

fn count_of(conn: &mut SqliteConnection, query: BoxedQuery<'_, Sqlite>, most: Option<i64>) -> Result<u64> {
    let count = match most {
        None => query.count().get_result::<i64>(conn)?,
        Some(rows) => CountOf(AtMost { rows, of: query.select(activity_log::seq) }).get_result(conn)?,
    };
    Ok(count.unsigned_abs())
}
