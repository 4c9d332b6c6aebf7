//! The blocks: for each 1,024 consecutive `seq` the least and the greatest time. They tell where a time window is to be
//! looked for, and only that: what is found there is tested for its time nevertheless.

use diesel::connection::SimpleConnection;
use diesel::dsl::{max, min};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::closing::Summary;
use crate::runs::Sought;
use crate::schema::{activity_log, activity_log_blocks};
use crate::span::{Order, Span};
use crate::sqlite::text_or;

/// The stored forms of a time window's ends, both inclusive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

impl Sought for Window {
    const FIRST_PARTS: i64 = 64;

    fn closed(&self, conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
        if self.since.is_none() && self.until.is_none() {
            return Ok(None);
        }
        Blocks::last_closed(conn)
    }

    fn parts(&self, conn: &mut SqliteConnection, span: Span, order: Order, most: i64) -> QueryResult<Vec<(i64, i64)>> {
        use activity_log_blocks::{first_seq, greatest_ts, last_seq, least_ts};

        let mut blocks = activity_log_blocks::table.select((first_seq, last_seq)).into_boxed();
        if let Some(since) = &self.since {
            blocks = blocks.filter(greatest_ts.ge(since));
        }
        if let Some(until) = &self.until {
            blocks = blocks.filter(least_ts.le(until));
        }
        if let Some(after) = span.after {
            // By `first_seq` as well, which is indexed.
            blocks = blocks.filter(last_seq.gt(after)).filter(first_seq.gt(after.saturating_sub(Blocks::ROWS)));
        }
        if let Some(before) = span.before {
            blocks = blocks.filter(first_seq.lt(before));
        }
        blocks = match order {
            Order::Ascending => blocks.order(first_seq.asc()),
            Order::Descending => blocks.order(first_seq.desc()),
        };
        blocks.limit(most).load(conn)
    }
}

/// The summary of the times.
pub(crate) struct Blocks;

impl Summary for Blocks {
    const PARTS: &'static str = "activity_log_blocks";
    /// As in the migration that adds the blocks.
    const ROWS: i64 = 1_024;

    fn last_closed(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
        let last = activity_log_blocks::table.select(max(activity_log_blocks::first_seq));
        Ok(last.get_result::<Option<i64>>(conn)?.map(Self::last_of))
    }

    fn add(conn: &mut SqliteConnection, first_seq: i64, last_seq: i64) -> QueryResult<()> {
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
        let add = diesel::insert_or_ignore_into(activity_log_blocks::table).values(block).into_columns(columns);
        add.execute(conn).map(drop)
    }

    fn drop_gone(conn: &mut SqliteConnection) -> QueryResult<()> {
        conn.batch_execute(
            "DELETE FROM activity_log_blocks WHERE first_seq < (SELECT min(seq) FROM activity_log) - 1023",
        )
    }

    fn clear(conn: &mut SqliteConnection) -> QueryResult<()> {
        diesel::delete(activity_log_blocks::table).execute(conn).map(drop)
    }
}
