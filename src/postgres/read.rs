//! Reading rows.

use diesel::prelude::QueryResult;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::blocks::Parts;
use crate::postgres::execute::Execute;
use crate::postgres::query::{ALL_COLUMNS, Selection};
use crate::postgres::row::ActivityLogRow;
use crate::postgres::schema::activity_log;
use crate::postgres::statement::Sql;
use crate::store::batch::{Batch, ReadLimit};
use crate::store::range::{Order, SeqRange};

/// How many rows one statement returns at first, and at most. The connection holds all of them in memory.
const FIRST_ROWS: i64 = 128;
const MAX_ROWS: i64 = 4_096;

/// Replaces the batch with the first matching rows of a range.
pub(crate) async fn read(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Result<()> {
    batch.restart(limit);
    if filters.match_nothing || limit.rows <= 0 {
        return Ok(());
    }
    let selection = Selection::find(conn, filters).await?;
    if selection.is_empty() {
        return Ok(());
    }
    let mut parts = Parts::new(filters, range, order);
    while let Some(mut part) = parts.next(conn).await? {
        loop {
            let wanted = next_rows(batch, limit);
            let statement = selection.rows::<activity_log::SqlType>(part, order, rounded(wanted));
            let rows = conn.load::<ActivityLogRow, _>(statement).await?;
            let is_last = (rows.len() as i64) < wanted;
            for row in rows.into_iter().take(usize::try_from(wanted).unwrap_or(usize::MAX)) {
                batch.push(row);
                if batch.is_full(limit) {
                    return Ok(());
                }
            }
            match batch.last_seq().map(|last| part.split(order, last)) {
                Some((_, Some(rest))) if !is_last && !rest.is_empty() => part = rest,
                _ => break,
            }
        }
    }
    Ok(())
}

/// How many rows to ask for: few enough that they are not much more than what is left of the limit, if those to come are
/// as long as those before.
fn next_rows(batch: &Batch<ActivityLogRow>, limit: ReadLimit) -> i64 {
    let rows = batch.len() as i64;
    let left = limit.rows - rows;
    if rows == 0 {
        return left.min(FIRST_ROWS);
    }
    let average = (batch.bytes() as i64 / rows).max(1);
    let bytes = i64::try_from(limit.bytes.saturating_sub(batch.bytes())).unwrap_or(i64::MAX);
    left.min(bytes / average + 1).min(MAX_ROWS)
}

/// A number of rows that is a little more, so that there are few different statements to keep prepared.
fn rounded(rows: i64) -> i64 {
    let step = (rows.max(1).ilog2().saturating_sub(3)).min(62);
    let step = 1 << step;
    (rows + step - 1) / step * step
}

/// The row with this id.
pub(crate) async fn find(conn: &mut impl Execute, id: &str) -> QueryResult<Option<ActivityLogRow>> {
    let row = Sql::new(format!("SELECT {ALL_COLUMNS} FROM activity_log WHERE id = ")).bind(id);
    conn.first::<ActivityLogRow, _>(row.returning::<activity_log::SqlType>()).await
}
