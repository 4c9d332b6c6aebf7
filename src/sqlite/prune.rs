//! Deleting what is due, in transactions so short that they hold nobody up.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use crate::error::Result;
use crate::schema::activity_log;
use crate::sqlite::extent::{newest_seq, oldest_seq};
use crate::sqlite::reserve::release_reserve;
use crate::sqlite::throttle::in_throttled_batches;
use crate::sqlite::timestamp::{Bound, lower_bound};
use crate::sqlite::transaction::{is_in_transaction, with_read_transaction};

const FIRST_BATCH: i64 = 500;

/// Deletes the rows older than `before_ts` and, of what is left, all but the newest `max_entries`.
pub(crate) fn prune(
    conn: &mut SqliteConnection,
    before_ts: Option<DateTime<Utc>>,
    max_entries: Option<u64>,
) -> Result<u64> {
    if before_ts.is_none() && max_entries.is_none() {
        return Ok(0);
    }
    let before = before_ts.map_or(Bound::All, lower_bound);
    // Afterwards, SQLite may have ended the transaction.
    let in_callers_transaction = is_in_transaction(conn)?;
    let due = with_read_transaction(conn, |conn| Ok(Due::find(conn, &before, max_entries)?))?;
    let mut deleted = 0;
    match delete_due(conn, &due, &mut deleted) {
        // Inside a transaction SQLite cannot empty its log.
        Err(error) if error.is_out_of_space() && !in_callers_transaction => {
            release_reserve(conn)?;
            delete_due(conn, &due, &mut deleted)?;
        }
        outcome => outcome?,
    }
    Ok(deleted)
}

fn delete_due(conn: &mut SqliteConnection, due: &[Due], deleted: &mut u64) -> Result<()> {
    let due_row = diesel::alias!(activity_log as due_row);
    for due in due {
        let rows = |offset, limit| {
            let rows = due_row.select(due_row.field(activity_log::seq)).into_boxed::<Sqlite>();
            let rows = match due {
                Due::Through(last) => {
                    rows.filter(due_row.field(activity_log::seq).le(last)).order(due_row.field(activity_log::seq).asc())
                }
                Due::Older { before, newest } => rows
                    .filter(due_row.field(activity_log::ts).lt(before))
                    .filter(due_row.field(activity_log::seq).le(newest))
                    .order(due_row.field(activity_log::ts).asc()),
            };
            rows.offset(offset).limit(limit)
        };
        in_batches(
            conn,
            deleted,
            |conn, offset, limit| {
                diesel::delete(activity_log::table.filter(activity_log::seq.eq_any(rows(offset, limit)))).execute(conn)
            },
            |conn, offset| rows(offset, 1).get_result(conn),
        )?;
    }
    Ok(())
}

/// Rows to delete, as the log stood when the prune began.
enum Due {
    /// Every row up to this `seq`.
    Through(i64),
    /// The rows whose `ts` sorts before a text, up to a `seq`.
    Older { before: String, newest: i64 },
}

impl Due {
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
        let older = older.filter(|_| older_rows > 0).map(|text| Self::Older { before: text.clone(), newest });
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

/// Deletes batch after batch, and adds the number of rows to `deleted`.
///
/// `delete` deletes up to `limit` due rows from an `offset` on, and `due_at` finds the one at an offset. The offset skips the
/// rows that a trigger of the host's holds back, which would otherwise fill every batch.
fn in_batches(
    conn: &mut SqliteConnection,
    deleted: &mut u64,
    delete: impl Fn(&mut SqliteConnection, i64, i64) -> QueryResult<usize>,
    due_at: impl Fn(&mut SqliteConnection, i64) -> QueryResult<i64>,
) -> Result<()> {
    // The caller's transaction holds the lock until it ends in any case.
    if is_in_transaction(conn)? {
        *deleted += delete(conn, 0, i64::MAX)? as u64;
        return Ok(());
    }
    let mut held_back = 0;
    in_throttled_batches(conn, FIRST_BATCH, |conn, size| {
        let rows = delete(conn, held_back, size)?;
        *deleted += rows as u64;
        held_back += size - rows as i64;
        Ok(rows as i64 == size || due_at(conn, held_back).optional()?.is_some())
    })
}
