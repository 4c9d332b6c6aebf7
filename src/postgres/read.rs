//! Reading rows.

use diesel::prelude::QueryResult;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::blocks::Parts;
use crate::postgres::execute::Execute;
use crate::postgres::nearest::{Nearest, Place, nearest};
use crate::postgres::query::{ALL_COLUMNS, Selection, rounded};
use crate::postgres::row::ActivityLogRow;
use crate::postgres::schema::activity_log;
use crate::postgres::search::candidates::{GROWTH, NEAREST_ROWS, list};
use crate::postgres::search::term::IndexedTerm;
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
    if read_nearest(conn, filters, range, order, limit, None, batch).await?.is_some() {
        return Ok(());
    }
    match select(conn, filters, limit).await? {
        Some(selection) => read_selected(conn, &selection, range, order, limit, batch).await,
        None => Ok(()),
    }
}

/// Fills the batch with the nearest rows of a range, if these are enough, and returns whether any row of `beyond` matches.
/// Otherwise the batch stays empty.
async fn read_nearest(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    beyond: Option<SeqRange>,
    batch: &mut Batch<ActivityLogRow>,
) -> QueryResult<Option<bool>> {
    if filters.match_nothing || range.is_empty() || !(1..=FIRST_ROWS).contains(&limit.rows) {
        return Ok(None);
    }
    let place = Place { range, order, rows: limit.rows, beyond };
    let Some(Nearest { rows, has_beyond }) = nearest(conn, filters, &place).await? else { return Ok(None) };
    append(rows, limit.rows, range, order, limit, batch);
    Ok(Some(has_beyond))
}

/// How the matching rows are found, if any can match.
async fn select<'a>(
    conn: &mut impl Execute,
    filters: &'a NormalizedFilters,
    limit: ReadLimit,
) -> QueryResult<Option<Selection<'a>>> {
    if filters.match_nothing || limit.rows <= 0 {
        return Ok(None);
    }
    let selection = Selection::find(conn, filters).await?;
    Ok(Some(selection).filter(|selection| !selection.is_empty()))
}

/// Replaces the batch as [`read`] does, and returns whether any row of `beyond` matches. One statement does both if a single
/// walk finds the rows.
pub(crate) async fn read_beside(
    conn: &mut impl Execute,
    beyond: SeqRange,
    filters: &NormalizedFilters,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Result<bool> {
    batch.restart(limit);
    if let Some(has_beyond) = read_nearest(conn, filters, range, order, limit, Some(beyond), batch).await? {
        return Ok(has_beyond);
    }
    let Some(selection) = select(conn, filters, limit).await? else { return Ok(false) };
    if selection.is_one_walk() && !range.is_empty() && !beyond.is_empty() {
        let wanted = next_rows(batch, limit);
        let statement = selection.rows_beside(beyond, range, order, rounded(wanted));
        let rows = conn.load::<(ActivityLogRow, Option<bool>), _>(statement).await?;
        let Some((_, has_beyond)) = rows.first() else {
            // An empty page says nothing about `beyond`.
            read_selected(conn, &selection, beyond, order.opposite(), ReadLimit::rows(1), batch).await?;
            let has_beyond = !batch.is_empty();
            batch.restart(limit);
            return Ok(has_beyond);
        };
        let has_beyond = has_beyond.is_some();
        let rows = rows.into_iter().map(|(row, _)| row).collect();
        if let Some(rest) = append(rows, wanted, range, order, limit, batch) {
            walk(conn, &selection, rest, order, limit, batch).await?;
        }
        return Ok(has_beyond);
    }
    read_selected(conn, &selection, beyond, order.opposite(), ReadLimit::rows(1), batch).await?;
    let has_beyond = !batch.is_empty();
    read_selected(conn, &selection, range, order, limit, batch).await?;
    Ok(has_beyond)
}

/// Replaces the batch with the first matching rows of a range.
async fn read_selected(
    conn: &mut impl Execute,
    selection: &Selection<'_>,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Result<()> {
    batch.restart(limit);
    let mut parts = Parts::new(selection.filters(), range, order);
    while !batch.is_full(limit)
        && let Some(part) = parts.next(conn).await?
    {
        match selection.term() {
            None => walk(conn, selection, part, order, limit, batch).await?,
            Some(term) => search(conn, selection, term, part, order, limit, batch).await?,
        }
    }
    Ok(())
}

/// Appends the matching rows of a range, until the batch is full. It looks through some rows, where a common term is found,
/// and then asks the search index. If that proposes too many, it looks through more.
async fn search(
    conn: &mut impl Execute,
    selection: &Selection<'_>,
    term: &IndexedTerm,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Result<()> {
    let (mut rest, mut rows) = (Some(range), NEAREST_ROWS);
    while let Some(range) = rest
        && !batch.is_full(limit)
    {
        let (near, beyond) = split_near(conn, selection, range, order, rows).await?;
        walk(conn, selection, near, order, limit, batch).await?;
        (rest, rows) = (beyond, rows.saturating_mul(GROWTH));
        if let Some(range) = rest
            && !batch.is_full(limit)
            && let Some(seqs) = list(conn, selection.filters(), term, range, order).await?
        {
            return read_listed(conn, selection, &seqs, order, limit, batch).await;
        }
    }
    Ok(())
}

/// Appends the matching rows of a range, until the batch is full.
async fn walk(
    conn: &mut impl Execute,
    selection: &Selection<'_>,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Result<()> {
    let mut rest = Some(range);
    while let Some(range) = rest
        && !batch.is_full(limit)
    {
        let wanted = next_rows(batch, limit);
        let statement = selection.rows::<activity_log::SqlType>(range, order, rounded(wanted));
        let rows = conn.load::<ActivityLogRow, _>(statement).await?;
        rest = append(rows, wanted, range, order, limit, batch);
    }
    Ok(())
}

/// Appends the rows that were wanted of a range, until the batch is full. Returns the range in which more may follow.
fn append(
    rows: Vec<ActivityLogRow>,
    wanted: i64,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Option<SeqRange> {
    let is_last = (rows.len() as i64) < wanted;
    for row in rows.into_iter().take(usize::try_from(wanted).unwrap_or(usize::MAX)) {
        batch.push(row);
        if batch.is_full(limit) {
            return None;
        }
    }
    let last = batch.last_seq().filter(|_| !is_last)?;
    range.split(order, last).1.filter(|rest| !rest.is_empty())
}

/// The part of a range in which a walk comes by so many rows, and the rest; no rest if nothing else can match.
pub(crate) async fn split_near(
    conn: &mut impl Execute,
    selection: &Selection<'_>,
    range: SeqRange,
    order: Order,
    rows: i64,
) -> QueryResult<(SeqRange, Option<SeqRange>)> {
    let reach = selection.reach(range, order, rows);
    let (walked, lowest, highest) = conn.one::<(i64, Option<i64>, Option<i64>), _>(reach).await?;
    let last = match order {
        Order::Ascending => highest,
        Order::Descending => lowest,
    };
    Ok(match last {
        Some(last) if walked == rows => range.split(order, last),
        _ => (range, None),
    })
}

/// Appends the listed rows that still match, until the batch is full.
async fn read_listed(
    conn: &mut impl Execute,
    selection: &Selection<'_>,
    mut seqs: &[i64],
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Result<()> {
    while !batch.is_full(limit) && !seqs.is_empty() {
        let wanted = usize::try_from(next_rows(batch, limit)).unwrap_or(usize::MAX);
        let (listed, rest) = seqs.split_at(wanted.min(seqs.len()));
        let statement = selection.listed::<activity_log::SqlType>(ALL_COLUMNS, listed, order);
        for row in conn.load::<ActivityLogRow, _>(statement).await? {
            batch.push(row);
            if batch.is_full(limit) {
                return Ok(());
            }
        }
        seqs = rest;
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

/// The row with this id.
pub(crate) async fn find(conn: &mut impl Execute, id: &str) -> QueryResult<Option<ActivityLogRow>> {
    let row = Sql::new(format!("SELECT {ALL_COLUMNS} FROM activity_log WHERE id = ")).bind(id);
    conn.first::<ActivityLogRow, _>(row.returning::<activity_log::SqlType>()).await
}
