//! The blocks: for each 1,024 consecutive `seq` the least and the greatest time, which turn a time window into a range
//! of `seq`. They only narrow a search: what it finds is tested for its time nevertheless.
//!
//! An insert trigger that kept them would triple the time of an insert. So they are written a block at a time, once
//! recording has gone beyond it; the rows after the last block are open, and looked at one by one.

use diesel::connection::SimpleConnection;
use diesel::dsl::{max, min};
use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use diesel::sqlite::Sqlite;

use crate::Result;
use crate::planner::Unindexed;
use crate::schema::{activity_log, activity_log_blocks};
use crate::sqlite::{coalesce, greater, has, smaller};

/// As in the migration that adds the blocks.
const BLOCK_ROWS: i64 = 1_024;
/// How many blocks of other writers' rows one record catches up on, in about 10 ms.
const CATCH_UP_BLOCKS: i64 = 64;

pub(crate) type Seq = Box<dyn BoxableExpression<activity_log::table, Sqlite, SqlType = Nullable<BigInt>>>;

diesel::alias!(const OPEN_ROW: Alias<OpenRow> = activity_log as open_row);

/// The last `seq` that belongs to a block; all later rows are open.
#[diesel::dsl::auto_type(no_type_alias)]
fn last_closed() -> _ {
    let newest =
        activity_log_blocks::table.order(activity_log_blocks::first_seq.desc()).select(activity_log_blocks::last_seq);
    let none: diesel::dsl::AsExprOf<i64, Nullable<BigInt>> = i64::MIN.into_sql::<Nullable<BigInt>>();
    coalesce(newest.single_value(), none)
}

pub(crate) fn constant(seq: i64) -> Seq {
    Box::new(seq.into_sql::<Nullable<BigInt>>())
}

/// A `seq` with no row up to it whose time sorts at or after `bound`; `after` itself, when that is greater.
///
/// They are made one, or SQLite would choose which of the two it walks from.
pub(crate) fn last_before(bound: String, after: Option<i64>) -> Seq {
    let block = activity_log_blocks::table
        .filter(activity_log_blocks::greatest_ts.ge(bound))
        .order(activity_log_blocks::first_seq.asc())
        .select(activity_log_blocks::first_seq - 1);
    let last = coalesce(block.single_value(), last_closed());
    match after {
        Some(after) => Box::new(greater(last, constant(after))),
        None => Box::new(last),
    }
}

/// A `seq` with no row from it on whose time sorts at or before `bound`, NULL when no row at all has; `before` itself,
/// when that is less.
pub(crate) fn first_after(bound: String, before: Option<i64>) -> Seq {
    let open = OPEN_ROW
        .filter(OPEN_ROW.field(activity_log::seq).nullable().gt(last_closed()))
        .filter(Unindexed::new(OPEN_ROW.field(activity_log::ts)).le(bound.clone()))
        .order(OPEN_ROW.field(activity_log::seq).desc())
        .select(OPEN_ROW.field(activity_log::seq) + 1);
    let block = activity_log_blocks::table
        .filter(activity_log_blocks::least_ts.le(bound))
        .order(activity_log_blocks::first_seq.desc())
        .select(activity_log_blocks::last_seq + 1);
    let first = coalesce(open.single_value(), block.single_value());
    match before {
        Some(before) => Box::new(smaller(first, constant(before))),
        None => Box::new(first),
    }
}

/// Whether recording `rows` rows, of which `last_seq` is the last, has gone beyond a block.
pub(crate) fn is_due(last_seq: i64, rows: usize) -> bool {
    last_seq.rem_euclid(BLOCK_ROWS) < rows as i64
}

/// Adds the blocks that are complete, now that `rows` more rows have been recorded, and drops those whose rows are gone.
pub(crate) fn close(conn: &mut SqliteConnection, rows: usize) -> Result<()> {
    if !has(conn, "activity_log_blocks")? {
        // Recording needs no more than the first migration.
        return Ok(());
    }
    // The second case is a log that was emptied and whose numbers were made to begin anew.
    conn.batch_execute(
        "DELETE FROM activity_log_blocks WHERE last_seq < (SELECT min(seq) FROM activity_log) \
         OR (SELECT max(seq) FROM activity_log) <= (SELECT max(last_seq) FROM activity_log_blocks)",
    )?;
    let newest = activity_log::table.select(max(activity_log::seq)).get_result::<Option<i64>>(conn)?;
    let mut closed = diesel::select(last_closed()).get_result::<Option<i64>>(conn)?.unwrap_or(i64::MIN);
    for _ in 0..CATCH_UP_BLOCKS + rows as i64 / BLOCK_ROWS {
        let open = activity_log::table.filter(activity_log::seq.gt(closed)).select(min(activity_log::seq));
        let Some(seq) = open.get_result::<Option<i64>>(conn)? else { break };
        let first = seq - seq.rem_euclid(BLOCK_ROWS);
        let last = first + (BLOCK_ROWS - 1);
        if newest.is_none_or(|newest| newest <= last) {
            break;
        }
        add(conn, first, last)?;
        closed = last;
    }
    Ok(())
}

fn add(conn: &mut SqliteConnection, first_seq: i64, last_seq: i64) -> QueryResult<usize> {
    let block = activity_log::table.filter(activity_log::seq.between(first_seq, last_seq)).select((
        first_seq.into_sql::<BigInt>(),
        last_seq.into_sql::<BigInt>(),
        min(activity_log::ts).assume_not_null(),
        max(activity_log::ts).assume_not_null(),
    ));
    let columns = (
        activity_log_blocks::first_seq,
        activity_log_blocks::last_seq,
        activity_log_blocks::least_ts,
        activity_log_blocks::greatest_ts,
    );
    diesel::insert_or_ignore_into(activity_log_blocks::table).values(block).into_columns(columns).execute(conn)
}
