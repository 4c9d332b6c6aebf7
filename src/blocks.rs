//! The blocks: for each 1,024 consecutive `seq` the least and the greatest time. They tell where a time window is to be
//! looked for, and only that: what is found there is tested for its time nevertheless.
//!
//! An insert trigger that kept them would triple the time of an insert. So they are written a block at a time, once
//! recording has gone beyond it; the rows after the last block are open, and looked at one by one.

use std::collections::VecDeque;

use diesel::connection::SimpleConnection;
use diesel::dsl::{max, min};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use crate::Result;
use crate::schema::{activity_log, activity_log_blocks};
use crate::span::{Order, Span};
use crate::sqlite::{has, in_one_transaction, text_or};

/// As in the migration that adds the blocks.
const BLOCK_ROWS: i64 = 1_024;
/// How many of a block's first rows look whether the one before it is complete: another program may have written some.
const LOOKING_ROWS: i64 = 8;
/// How many blocks of other writers' rows one record catches up on, in about 20 ms.
const CATCH_UP_BLOCKS: i64 = 64;
/// How many blocks a read first looks for; four times as many each time it needs more.
const FIRST_BLOCKS: i64 = 64;

/// The stored forms of a time window's ends, both inclusive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

/// The parts of a span in which there may be rows of a window, in the order of reading.
#[derive(Debug)]
pub(crate) struct Runs {
    window: Window,
    order: Order,
    /// Where blocks are still to be looked for.
    rest: Option<Span>,
    most: i64,
    found: VecDeque<Span>,
    /// The last `seq` that belongs to a block; all later rows are open.
    closed: Option<i64>,
}

impl Runs {
    pub(crate) fn of(conn: &mut SqliteConnection, window: Window, span: Span, order: Order) -> QueryResult<Self> {
        let bounded = window.since.is_some() || window.until.is_some();
        let closed = if bounded { last_closed(conn)? } else { None };
        let mut runs =
            Self { window, order, rest: closed.map(|_| span), most: FIRST_BLOCKS, found: VecDeque::new(), closed };
        if closed.is_none() {
            runs.found.push_back(span);
        } else if order == Order::Descending {
            runs.found.push_back(runs.open(span));
        }
        Ok(runs)
    }

    /// The next part; `None` when there is no more.
    pub(crate) fn next(&mut self, conn: &mut SqliteConnection) -> QueryResult<Option<Span>> {
        // The last one found may go on in what is found next.
        while self.found.len() < 2
            && let Some(rest) = self.rest
        {
            self.look_in(conn, rest)?;
        }
        Ok(self.found.pop_front())
    }

    fn look_in(&mut self, conn: &mut SqliteConnection, span: Span) -> QueryResult<()> {
        let blocks = self.blocks(span).limit(self.most).load::<(i64, i64)>(conn)?;
        self.rest = match blocks.last() {
            Some((first, last)) if blocks.len() as i64 == self.most => {
                span.split(self.order, if self.order == Order::Ascending { *last } else { *first }).1
            }
            _ => None,
        };
        self.most = self.most.saturating_mul(4);
        for (first, last) in blocks {
            self.push(Span::including(first, last).and(span));
        }
        if self.rest.is_none() && self.order == Order::Ascending {
            self.push(self.open(span));
        }
        Ok(())
    }

    fn blocks(&self, span: Span) -> activity_log_blocks::BoxedQuery<'static, Sqlite, (BigInt, BigInt)> {
        use activity_log_blocks::{first_seq, greatest_ts, last_seq, least_ts};

        let mut blocks = activity_log_blocks::table.select((first_seq, last_seq)).into_boxed();
        if let Some(since) = &self.window.since {
            blocks = blocks.filter(greatest_ts.ge(since.clone()));
        }
        if let Some(until) = &self.window.until {
            blocks = blocks.filter(least_ts.le(until.clone()));
        }
        if let Some(after) = span.after {
            // By `first_seq` as well, which is indexed.
            blocks = blocks.filter(last_seq.gt(after)).filter(first_seq.gt(after.saturating_sub(BLOCK_ROWS)));
        }
        if let Some(before) = span.before {
            blocks = blocks.filter(first_seq.lt(before));
        }
        match self.order {
            Order::Ascending => blocks.order(first_seq.asc()),
            Order::Descending => blocks.order(first_seq.desc()),
        }
    }

    fn open(&self, span: Span) -> Span {
        span.and(Span { after: self.closed, before: None })
    }

    fn push(&mut self, run: Span) {
        match self.found.back_mut() {
            Some(back) if let Some(joined) = back.joined(run, self.order) => *back = joined,
            _ => self.found.push_back(run),
        }
    }
}

fn last_closed(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    activity_log_blocks::table.select(max(activity_log_blocks::last_seq)).get_result(conn)
}

/// Whether, `rows` rows having been recorded of which `last_seq` is the last, a block may be complete.
pub(crate) fn may_be_due(last_seq: i64, rows: usize) -> bool {
    last_seq.rem_euclid(BLOCK_ROWS) < LOOKING_ROWS.saturating_add(rows as i64 - 1)
}

/// Adds the blocks that are complete, now that `rows` rows have been recorded of which `last_seq` is the last, and drops
/// those whose rows are gone.
pub(crate) fn close(conn: &mut SqliteConnection, last_seq: i64, rows: usize) -> Result<()> {
    if !has(conn, "activity_log_blocks")? {
        // Recording needs no more than the first migration.
        return Ok(());
    }
    let complete_before = last_seq - last_seq.rem_euclid(BLOCK_ROWS);
    if last_closed(conn)?.is_some_and(|closed| closed == complete_before - 1) {
        return Ok(());
    }
    in_one_transaction(conn, |conn| {
        drop_stale(conn, last_seq.saturating_sub(rows as i64))?;
        let mut closed = last_closed(conn)?;
        for _ in 0..CATCH_UP_BLOCKS + rows as i64 / BLOCK_ROWS {
            let mut open = activity_log::table.select(min(activity_log::seq)).into_boxed();
            if let Some(closed) = closed {
                open = open.filter(activity_log::seq.gt(closed));
            }
            let Some(seq) = open.get_result::<Option<i64>>(conn)? else { break };
            let first = seq - seq.rem_euclid(BLOCK_ROWS);
            // The newest block still grows.
            if first >= complete_before {
                break;
            }
            let last = first + (BLOCK_ROWS - 1);
            add(conn, first, last)?;
            closed = Some(last);
        }
        Ok(())
    })
}

/// Drops all blocks: the log is about to be emptied.
pub(crate) fn clear(conn: &mut SqliteConnection) -> QueryResult<()> {
    if has(conn, "activity_log_blocks")? {
        diesel::delete(activity_log_blocks::table).execute(conn)?;
    }
    Ok(())
}

/// Drops the blocks whose rows are gone; and all of them when what has been recorded since `last_before` has got numbers
/// that they speak of, in a log that was emptied and whose numbers were made to begin anew.
fn drop_stale(conn: &mut SqliteConnection, last_before: i64) -> QueryResult<()> {
    if last_closed(conn)?.is_some_and(|closed| closed > last_before) {
        return conn.batch_execute("DELETE FROM activity_log_blocks");
    }
    conn.batch_execute("DELETE FROM activity_log_blocks WHERE last_seq < (SELECT min(seq) FROM activity_log)")
}

fn add(conn: &mut SqliteConnection, first_seq: i64, last_seq: i64) -> QueryResult<usize> {
    // Where an older table has no time at all, the empty text stands for the least and the greatest.
    let block = activity_log::table.filter(activity_log::seq.between(first_seq, last_seq)).select((
        first_seq.into_sql::<BigInt>(),
        last_seq.into_sql::<BigInt>(),
        text_or(min(activity_log::ts), "".into_sql::<Text>()),
        text_or(max(activity_log::ts), "".into_sql::<Text>()),
    ));
    let columns = (
        activity_log_blocks::first_seq,
        activity_log_blocks::last_seq,
        activity_log_blocks::least_ts,
        activity_log_blocks::greatest_ts,
    );
    diesel::insert_or_ignore_into(activity_log_blocks::table).values(block).into_columns(columns).execute(conn)
}
