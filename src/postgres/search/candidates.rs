//! Reading and counting the rows that the search index proposes.

use diesel::prelude::QueryResult;
use diesel::sql_types::{Array, BigInt};

use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::execute::Execute;
use crate::postgres::query::rest_of_all;
use crate::postgres::search::term::IndexedTerm;
use crate::postgres::statement::Sql;
use crate::store::range::{Order, SeqRange};

/// How many rows are looked through before the index is asked: a common term fills a page there.
pub(crate) const NEAREST_ROWS: i64 = 1_024;
/// How many candidates one statement lists.
const MAX_CANDIDATES: usize = 4_096;
/// A range of no more `seq` is looked through if it has too many candidates.
const MIN_WIDTH: i64 = 16_384;

/// The rows of a range that match and that the index proposes, part by part in order.
///
/// The index has no order: all matching rows of a part are found before the first is known. If these are too many, the next
/// part is smaller.
#[derive(Debug)]
pub(crate) struct Candidates<'a> {
    filters: &'a NormalizedFilters,
    term: &'a IndexedTerm,
    order: Order,
    rest: Option<SeqRange>,
    /// Of the next part; `None` is all of the rest.
    width: Option<i64>,
}

/// The next part of a range.
#[derive(Debug)]
pub(crate) enum CandidatePart {
    /// These rows match, in order, and no others of the part.
    Listed(Vec<i64>),
    /// The part has too many to list, and is short enough to be looked through.
    Dense(SeqRange),
}

impl<'a> Candidates<'a> {
    pub(crate) fn new(
        filters: &'a NormalizedFilters,
        term: &'a IndexedTerm,
        range: Option<SeqRange>,
        order: Order,
    ) -> Self {
        Self { filters, term, order, rest: range, width: None }
    }

    pub(crate) async fn next(&mut self, conn: &mut impl Execute) -> QueryResult<Option<CandidatePart>> {
        while let Some(rest) = self.rest.filter(|rest| !rest.is_empty()) {
            let Some((first, last)) = ends(conn, rest, self.order).await? else { break };
            let distance = last.abs_diff(first);
            let width = self.width.map_or(distance, |width| distance.min(width.unsigned_abs()));
            let step = i64::try_from(width).unwrap_or(i64::MAX);
            let end = match self.order {
                Order::Ascending => first.saturating_add(step),
                Order::Descending => first.saturating_sub(step),
            };
            let (part, beyond) = rest.split(self.order, end);
            let mut seqs = conn.one::<Vec<i64>, _>(self.list(part).returning::<Array<BigInt>>()).await?;
            if seqs.len() <= MAX_CANDIDATES {
                self.rest = beyond;
                self.width = Some(step.saturating_mul(4));
                seqs.sort_unstable();
                if self.order == Order::Descending {
                    seqs.reverse();
                }
                return Ok(Some(CandidatePart::Listed(seqs)));
            }
            if step <= MIN_WIDTH {
                self.rest = beyond;
                return Ok(Some(CandidatePart::Dense(part)));
            }
            self.width = Some((step / 16).max(MIN_WIDTH));
        }
        self.rest = None;
        Ok(None)
    }

    fn list(&self, part: SeqRange) -> Sql<'a> {
        let rows = matching(self.filters, self.term, part, "seq");
        Sql::new("SELECT ARRAY(").sql(rows).text(format!(" LIMIT {})", MAX_CANDIDATES + 1))
    }
}

/// The first and the last `seq` of a range that has rows.
async fn ends(conn: &mut impl Execute, range: SeqRange, order: Order) -> QueryResult<Option<(i64, i64)>> {
    let end = |direction| {
        let mut sql = Sql::new("(SELECT seq FROM activity_log WHERE TRUE");
        if let Some(after) = range.after {
            sql = sql.text(" AND seq > ").bind(after);
        }
        if let Some(before) = range.before {
            sql = sql.text(" AND seq < ").bind(before);
        }
        sql.text(format!(" ORDER BY seq {direction} LIMIT 1)"))
    };
    let (first, last) = match order {
        Order::Ascending => ("ASC", "DESC"),
        Order::Descending => ("DESC", "ASC"),
    };
    let ends = Sql::new("SELECT first.seq, last.seq FROM ").sql(end(first)).text(" AS first, ");
    let ends = ends.sql(end(last)).text(" AS last").returning::<(BigInt, BigInt)>();
    conn.first::<(i64, i64), _>(ends).await
}

/// Counts the matching rows of a range, up to a limit.
pub(crate) async fn count_up_to(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    term: &IndexedTerm,
    range: SeqRange,
    limit: i64,
) -> QueryResult<i64> {
    let rows = matching(filters, term, range, "1").text(format!(" LIMIT {limit}"));
    let count = Sql::new("SELECT count(*) FROM (").sql(rows).text(") AS counted");
    conn.one::<i64, _>(count.returning::<BigInt>()).await
}

/// The matching rows of a range, in no order. The range is an expression that no index has.
fn matching<'a>(filters: &'a NormalizedFilters, term: &IndexedTerm, range: SeqRange, columns: &'static str) -> Sql<'a> {
    let mut sql = Sql::new(format!("SELECT {columns} FROM activity_log WHERE ")).sql(term.condition());
    if let Some(after) = range.after {
        sql = sql.text(" AND (seq | 0) > ").bind(after);
    }
    if let Some(before) = range.before {
        sql = sql.text(" AND (seq | 0) < ").bind(before);
    }
    sql.sql(rest_of_all(filters))
}
