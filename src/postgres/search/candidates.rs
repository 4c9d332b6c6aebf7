//! Reading and counting the rows that the search index proposes.

use diesel::prelude::QueryResult;
use diesel::sql_types::{Array, BigInt};

use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::conditions::rest_of_all;
use crate::postgres::execute::Execute;
use crate::postgres::search::term::IndexedTerm;
use crate::postgres::statement::Sql;
use crate::store::range::{Order, SeqRange};

/// How many rows are looked through before the index is asked: a common term fills a page there.
pub(crate) const NEAREST_ROWS: i64 = 1_024;
/// By how much more rows are looked through each time that the index proposes too many.
pub(crate) const GROWTH: i64 = 8;
/// How many candidates one statement lists.
const MAX_CANDIDATES: usize = 4_096;

/// The matching rows of a range, in order; `None` if there are too many to list. The index has no order: all of them are
/// found before the first is known.
pub(crate) async fn list(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    term: &IndexedTerm,
    range: SeqRange,
    order: Order,
) -> QueryResult<Option<Vec<i64>>> {
    let rows = matching(filters, term, range, "seq");
    let list = Sql::new("SELECT ARRAY(").sql(rows).text(format!(" LIMIT {})", MAX_CANDIDATES + 1));
    let mut seqs = conn.one::<Vec<i64>, _>(list.returning::<Array<BigInt>>()).await?;
    if seqs.len() > MAX_CANDIDATES {
        return Ok(None);
    }
    seqs.sort_unstable();
    if order == Order::Descending {
        seqs.reverse();
    }
    Ok(Some(seqs))
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
    sql = sql.within(range, "(seq | 0)", 0);
    sql.sql(rest_of_all(filters))
}
