//! Deleting rows, except those that the host's own tables and triggers hold back.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use crate::error::{Error, Result};
use crate::schema::activity_log::{self, BoxedQuery};
use crate::sqlite::references::{holds_back, may_hold_back, unreferenced};
use crate::sqlite::reserve::with_reserve;
use crate::sqlite::throttle::in_one_batch;
use crate::sqlite::transaction::{is_in_sqlites_transaction, is_in_transaction, with_transaction};
use crate::store::deletion::Deletion;
use crate::store::pace::pause;

/// Rows that are due.
pub(crate) trait DueRows: Sized {
    /// A query for the rows.
    fn query(&self) -> BoxedQuery<'_, Sqlite>;

    /// Each half of the rows; `None` if there are fewer than two.
    fn halves(&self, conn: &mut SqliteConnection) -> QueryResult<Option<[Self; 2]>>;
}

/// Deletes the rows that are not held back, and returns how many it deleted. `unreferenced` is the condition for the
/// rows to which no foreign key refers.
pub(crate) fn delete_due(conn: &mut SqliteConnection, rows: &impl DueRows, unreferenced: &str) -> Result<u64> {
    let was_in_transaction = is_in_sqlites_transaction(conn)?;
    match try_to_delete(conn, rows, unreferenced) {
        Err(error) if was_in_transaction && !is_in_sqlites_transaction(conn)? => Err(error.into()),
        Err(error) if holds_back(conn, &error)? => {
            with_transaction(conn, |conn| Ok(delete_in_halves(conn, rows, unreferenced)?))
        }
        outcome => Ok(outcome?),
    }
}

/// Deletes each half of the rows separately, down to single rows, because only trying tells which row is held back.
fn delete_in_halves(conn: &mut SqliteConnection, rows: &impl DueRows, unreferenced: &str) -> QueryResult<u64> {
    match try_to_delete(conn, rows, unreferenced) {
        Err(error) if holds_back(conn, &error)? => {
            let Some([one, other]) = rows.halves(conn)? else { return Ok(0) };
            Ok(delete_in_halves(conn, &one, unreferenced)? + delete_in_halves(conn, &other, unreferenced)?)
        }
        outcome => outcome,
    }
}

fn try_to_delete(conn: &mut SqliteConnection, rows: &impl DueRows, unreferenced: &str) -> QueryResult<u64> {
    let rows = rows.query().filter(sql::<Bool>(unreferenced)).select(activity_log::seq);
    let deleted = diesel::delete(activity_log::table.filter(activity_log::seq.eq_any(rows))).execute(conn)?;
    Ok(deleted as u64)
}

/// Rows by their `seq`.
struct Listed<'a>(&'a [i64]);

impl Listed<'_> {
    /// The `seq` of the listed rows that are still there.
    fn load(&self, conn: &mut SqliteConnection) -> QueryResult<Vec<i64>> {
        self.query().select(activity_log::seq).order(activity_log::seq).load(conn)
    }
}

impl DueRows for Listed<'_> {
    fn query(&self) -> BoxedQuery<'_, Sqlite> {
        activity_log::table.filter(activity_log::seq.eq_any(self.0)).into_boxed()
    }

    fn halves(&self, _: &mut SqliteConnection) -> QueryResult<Option<[Self; 2]>> {
        let (one, other) = self.0.split_at(self.0.len() / 2);
        Ok((!one.is_empty()).then_some([Self(one), Self(other)]))
    }
}

/// Deletes these rows in one short transaction, or within the caller's.
pub(crate) fn delete(conn: &mut SqliteConnection, seqs: &[i64], stop: &AtomicBool) -> Result<Deletion> {
    if seqs.is_empty() {
        return Ok(Deletion::default());
    }
    let rows = Listed(seqs);
    let in_callers_transaction = is_in_transaction(conn)?;
    let unreferenced = unreferenced(conn)?;
    let (deleted, lock_time) = if in_callers_transaction {
        // That transaction holds the lock until it ends in any case, and SQLite cannot empty its log.
        (delete_due(conn, &rows, &unreferenced)?, Duration::ZERO)
    } else {
        with_reserve(conn, |conn| in_one_batch(conn, stop, |conn| delete_due(conn, &rows, &unreferenced)))?
    };
    let held_back = if deleted == seqs.len() as u64 { Vec::new() } else { rows.load(conn)? };
    Ok(Deletion { deleted, held_back, lock_time })
}

/// The rows among these that [`delete`] would hold back. Only trying tells, so it deletes the rows and rolls back.
pub(crate) fn held_back(conn: &mut SqliteConnection, seqs: &[i64], stop: &AtomicBool) -> Result<Vec<i64>> {
    if seqs.is_empty() || !may_hold_back(conn)? {
        return Ok(Vec::new());
    }
    let in_callers_transaction = is_in_transaction(conn)?;
    let unreferenced = unreferenced(conn)?;
    let mut attempt = |conn: &mut SqliteConnection| {
        let mut held_back = Vec::new();
        let undone = with_transaction(conn, |conn| {
            delete_due(conn, &Listed(seqs), &unreferenced)?;
            held_back = Listed(seqs).load(conn)?;
            Err::<Vec<_>, Error>(RollbackTransaction.into())
        });
        match undone {
            Err(Error::Database(RollbackTransaction)) => Ok(held_back),
            failed => failed,
        }
    };
    if in_callers_transaction {
        return attempt(conn);
    }
    let (held_back, lock_time) = with_reserve(conn, |conn| in_one_batch(conn, stop, &mut attempt))?;
    pause(lock_time, stop);
    Ok(held_back)
}
