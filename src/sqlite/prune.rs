//! Deleting what is due, in transactions so short that they hold nobody up.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool};
use diesel::sqlite::Sqlite;

use crate::error::Result;
use crate::model::prune_report::PruneReport;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::sqlite::delete::{DueRows, delete_due};
use crate::sqlite::extent::{newest_seq, oldest_seq};
use crate::sqlite::references::unreferenced;
use crate::sqlite::reserve::with_reserve;
use crate::sqlite::throttle::in_throttled_batches;
use crate::sqlite::timestamp::{Bound, lower_bound};
use crate::sqlite::transaction::{is_in_transaction, with_read_transaction};

const FIRST_BATCH: i64 = 500;

/// Deletes the rows older than `before_ts` and, of what is left, all but the newest `max_entries`.
pub(crate) fn prune(
    conn: &mut SqliteConnection,
    before_ts: Option<DateTime<Utc>>,
    max_entries: Option<u64>,
) -> Result<PruneReport> {
    let mut report = PruneReport::default();
    if before_ts.is_none() && max_entries.is_none() {
        return Ok(report);
    }
    let before = before_ts.map_or(Bound::All, lower_bound);
    // Asked first, because SQLite may have ended the transaction after a failure.
    let in_callers_transaction = is_in_transaction(conn)?;
    let due = with_read_transaction(conn, |conn| Ok(Due::find(conn, &before, max_entries)?))?;
    if due.is_empty() {
        return Ok(report);
    }
    let unreferenced = unreferenced(conn)?;
    for due in due {
        let slice = Slice { due: &due, after: None, last: None };
        if in_callers_transaction {
            // That transaction holds the lock until it ends in any case.
            report.add(slice.delete(conn, &unreferenced)?);
            continue;
        }
        let mut after = None;
        // Inside a transaction SQLite cannot empty its log.
        with_reserve(conn, |conn| due.delete_in_batches(conn, &unreferenced, &mut after, &mut report))?;
    }
    Ok(report)
}

/// The due rows after one and up to another.
struct Slice<'a> {
    due: &'a Due,
    after: Option<Key>,
    last: Option<Key>,
}

impl Slice<'_> {
    /// Deletes its rows, except those that are held back.
    fn delete(&self, conn: &mut SqliteConnection, unreferenced: &str) -> Result<PruneReport> {
        let deleted = delete_due(conn, self, unreferenced)?;
        Ok(PruneReport { deleted, held_back: self.count(conn)?.unsigned_abs() })
    }

    fn count(&self, conn: &mut SqliteConnection) -> QueryResult<i64> {
        self.query().count().get_result(conn)
    }
}

impl DueRows for Slice<'_> {
    fn query(&self) -> BoxedQuery<'_, Sqlite> {
        self.due.rows(self.after.as_ref(), self.last.as_ref())
    }

    fn halves(&self, conn: &mut SqliteConnection) -> QueryResult<Option<[Self; 2]>> {
        let rows = self.count(conn)?;
        let middle = self.due.nth_after(conn, self.after.as_ref(), rows / 2)?.filter(|_| rows > 1);
        Ok(middle.map(|middle| {
            let one = Self { due: self.due, after: self.after.clone(), last: Some(middle.clone()) };
            let other = Self { due: self.due, after: Some(middle), last: self.last.clone() };
            [one, other]
        }))
    }
}

/// The place of a row in the order in which the due rows are deleted.
#[derive(Debug, Clone, Queryable)]
struct Key {
    /// In the database's encoding, whether or not that is valid; empty where only `seq` counts.
    ts: Vec<u8>,
    seq: i64,
}

impl Key {
    /// The rows whose time and `seq` are `>` or `<=` this key's, in a form that SQLite finds in the index on `ts`.
    fn compare(&self, operator: &str) -> Box<dyn BoxableExpression<activity_log::table, Sqlite, SqlType = Bool> + '_> {
        let (strictly, or_equal) = if operator == ">" { (">", ">=") } else { ("<", "<=") };
        Box::new(
            sql::<Bool>(&format!("(ts {or_equal} CAST("))
                .bind::<Binary, _>(&self.ts)
                .sql(&format!(" AS TEXT) AND (ts {strictly} CAST("))
                .bind::<Binary, _>(&self.ts)
                .sql(&format!(" AS TEXT) OR seq {operator} "))
                .bind::<BigInt, _>(self.seq)
                .sql("))"),
        )
    }
}

/// Rows to delete, as the log stood when the prune began.
enum Due {
    /// Every row up to this `seq`.
    Through(i64),
    /// The rows whose `ts` sorts before a text, after a `seq` and up to another.
    Older { before: String, after: Option<i64>, newest: i64 },
}

impl Due {
    /// Deletes batch after batch of the due rows after `after`, which it moves on.
    ///
    /// Each batch begins after the last row of the one before, whether or not that row is still there: a foreign key or
    /// a trigger of the host's may keep rows, or delete others as well.
    fn delete_in_batches(
        &self,
        conn: &mut SqliteConnection,
        unreferenced: &str,
        after: &mut Option<Key>,
        report: &mut PruneReport,
    ) -> Result<()> {
        in_throttled_batches(conn, FIRST_BATCH, &AtomicBool::new(false), |conn, size| {
            let last = self.nth_after(conn, after.as_ref(), size)?;
            let slice = Slice { due: self, after: after.clone(), last };
            report.add(slice.delete(conn, unreferenced)?);
            *after = slice.last;
            Ok(after.is_some())
        })
    }

    /// The due rows after one and up to another.
    fn rows<'a>(&'a self, after: Option<&'a Key>, last: Option<&'a Key>) -> BoxedQuery<'a, Sqlite> {
        use activity_log::{seq, ts};

        let mut rows = activity_log::table.into_boxed();
        match self {
            Self::Through(newest) => {
                rows = rows.filter(seq.le(last.map_or(*newest, |last| last.seq)));
                if let Some(after) = after {
                    rows = rows.filter(seq.gt(after.seq));
                }
            }
            Self::Older { before, after: excess, newest } => {
                // Without the sign, SQLite may look for the rows by `seq`.
                let up_to_newest = sql::<Bool>("+seq <= ").bind::<BigInt, _>(newest);
                rows = rows.filter(ts.lt(before)).filter(up_to_newest);
                if let Some(excess) = excess {
                    rows = rows.filter(sql::<Bool>("+seq > ").bind::<BigInt, _>(excess));
                }
                if let Some(after) = after {
                    rows = rows.filter(after.compare(">"));
                }
                if let Some(last) = last {
                    rows = rows.filter(last.compare("<="));
                }
            }
        }
        rows
    }

    /// The place of the `number`th due row after another; `None` if there are fewer.
    fn nth_after(&self, conn: &mut SqliteConnection, after: Option<&Key>, number: i64) -> QueryResult<Option<Key>> {
        use activity_log::{seq, ts};

        let rows = self.rows(after, None);
        let (rows, stored_ts) = match self {
            Self::Through(_) => (rows.order(seq.asc()), "x''"),
            Self::Older { .. } => (rows.order((ts.asc(), seq.asc())), "CAST(ts AS BLOB)"),
        };
        let places = rows.select((sql::<Binary>(stored_ts), seq));
        places.offset((number - 1).max(0)).limit(1).first(conn).optional()
    }

    /// Reads in one transaction, so that its counts agree with each other.
    fn find(conn: &mut SqliteConnection, before: &Bound, max_entries: Option<u64>) -> QueryResult<Vec<Self>> {
        let (Some(oldest), Some(newest)) = (oldest_seq(conn)?, newest_seq(conn)?) else {
            return Ok(Vec::new());
        };
        let older = match before {
            Bound::All => None,
            Bound::None => return Ok(vec![Self::Through(newest)]),
            Bound::Text(text) => Some(text),
        };
        let older_rows = match older {
            None => 0,
            Some(text) => activity_log::table.filter(activity_log::ts.lt(text)).count().get_result::<i64>(conn)?,
        };
        let last_excess = match max_entries.map(i64::try_from) {
            // No log holds more than i64::MAX rows, or more than its `seq` span.
            None | Some(Err(_)) => None,
            Some(Ok(max_entries)) if newest.saturating_sub(oldest) < max_entries => None,
            Some(Ok(max_entries)) => {
                let excess = activity_log::table.count().get_result::<i64>(conn)? - older_rows - max_entries;
                last_of_oldest(conn, older, excess)?
            }
        };
        let older = older.filter(|_| older_rows > 0).map(|text| Self::Older {
            before: text.clone(),
            after: last_excess,
            newest,
        });
        Ok(last_excess.map(Self::Through).into_iter().chain(older).collect())
    }
}

/// The `seq` of the last of the `excess` oldest rows, leaving out those that are deleted by age.
///
/// It walks from the old end over rows that are all going to be deleted, and never over those that stay.
fn last_of_oldest(conn: &mut SqliteConnection, older: Option<&String>, excess: i64) -> QueryResult<Option<i64>> {
    if excess <= 0 {
        return Ok(None);
    }
    let mut rows = activity_log::table.select(activity_log::seq).into_boxed();
    if let Some(text) = older {
        // An older table may hold a NULL here, which is neither older nor newer.
        rows = rows.filter(activity_log::ts.ge(text).or(activity_log::ts.is_null()));
    }
    rows.order(activity_log::seq.asc()).offset(excess - 1).limit(1).get_result(conn).optional()
}
