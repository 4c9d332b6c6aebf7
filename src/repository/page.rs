//! Pages with cursors in both directions.

use crate::error::Result;
use crate::model::entry::{ActivityLogEntry, ActivityLogPage};
use crate::model::normalized_filters::NormalizedFilters;
use crate::store::Store;
use crate::store::batch::{Batch, ReadLimit};
use crate::store::range::{Order, SeqRange};

/// The most entries that a page holds, which is one or more, and the number of bytes at which the page ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageLimit {
    pub(crate) entries: u32,
    pub(crate) bytes: usize,
}

/// The newest matching entries older than `before_seq`.
pub(crate) async fn before<C: Store>(
    conn: &mut C,
    filters: &NormalizedFilters,
    before_seq: Option<i64>,
    limit: PageLimit,
) -> Result<ActivityLogPage> {
    // The cursor that leads back from an empty page. No row between this cursor and the newest entry of the page
    // matches, so the same check serves both.
    let after_seq = before_seq.map(|before_seq| before_seq.saturating_sub(1));
    let newer = after_seq.map(|after_seq| SeqRange::after(Some(after_seq)));
    let (entries, next_before_seq, has_newer) =
        read(conn, filters, SeqRange::before(before_seq), Order::Descending, limit, newer).await?;
    let way_back = after_seq.filter(|_| has_newer);
    let prev_after_seq = way_back.map(|after_seq| entries.first().map_or(after_seq, |newest| newest.seq));
    Ok(ActivityLogPage { entries, next_before_seq, prev_after_seq })
}

/// The oldest matching entries newer than `after_seq` and up to `settled_seq`, newest first.
pub(crate) async fn after<C: Store>(
    conn: &mut C,
    filters: &NormalizedFilters,
    after_seq: i64,
    settled_seq: i64,
    limit: PageLimit,
) -> Result<ActivityLogPage> {
    let before_seq = after_seq.saturating_add(1);
    let older = SeqRange::before(Some(before_seq));
    let newer = SeqRange::after(Some(after_seq)).intersection(SeqRange::through(settled_seq));
    let (mut entries, prev_after_seq, has_older) =
        read(conn, filters, newer, Order::Ascending, limit, Some(older)).await?;
    entries.reverse();
    let next_before_seq = has_older.then(|| entries.last().map_or(before_seq, |oldest| oldest.seq));
    Ok(ActivityLogPage { entries, next_before_seq, prev_after_seq })
}

/// The first entries of a range, the `seq` of the last one if more follow, and whether there are any in the range `beyond`,
/// on the other side.
async fn read<C: Store>(
    conn: &mut C,
    filters: &NormalizedFilters,
    range: SeqRange,
    order: Order,
    limit: PageLimit,
    beyond: Option<SeqRange>,
) -> Result<(Vec<ActivityLogEntry>, Option<i64>, bool)> {
    let rows = usize::try_from(limit.entries).unwrap_or(usize::MAX);
    let limit = ReadLimit { rows: i64::from(limit.entries) + 1, bytes: limit.bytes };
    let mut batch = Batch::default();
    let has_beyond = match beyond {
        Some(beyond) => conn.read_beside(beyond, filters, range, order, limit, &mut batch).await?,
        None => {
            conn.read(filters, range, order, limit, &mut batch).await?;
            false
        }
    };
    let has_more = if batch.len() > rows {
        batch.truncate(rows);
        true
    } else if let Some(last_seq) = batch.last_seq()
        && batch.is_full(limit)
    {
        // The batch ended because of its bytes.
        match range.split(order, last_seq) {
            (_, Some(rest)) => has_rows(conn, filters, rest, order).await?,
            (_, None) => false,
        }
    } else {
        false
    };
    let cursor = batch.last_seq().filter(|_| has_more);
    Ok((batch.decode()?, cursor, has_beyond))
}

/// Whether any row of a range matches. In this order, the first row that is read is likely to match.
async fn has_rows<C: Store>(conn: &mut C, filters: &NormalizedFilters, range: SeqRange, order: Order) -> Result<bool> {
    let mut batch = Batch::default();
    conn.read(filters, range, order, ReadLimit::rows(1), &mut batch).await?;
    Ok(!batch.is_empty())
}
