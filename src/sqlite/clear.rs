//! Emptying the log.

use diesel::prelude::*;

use crate::error::Result;
use crate::schema::activity_log;
use crate::sqlite::busy::with_retry;
use crate::sqlite::catalog::object::without_trigger;
use crate::sqlite::search::fill::remove_all;
use crate::sqlite::segments::summarize::drop_all_segments;
use crate::sqlite::transaction::with_transaction;

/// SQLite drops all pages of a table at once, but only if no trigger wants to see each row.
const DELETE_TRIGGER: &str = "activity_log_segments_delete";

/// Deletes every row and returns how many.
pub(crate) fn clear(conn: &mut SqliteConnection) -> Result<u64> {
    with_retry(conn, |conn| {
        with_transaction(conn, |conn| {
            without_trigger(conn, DELETE_TRIGGER, |conn| {
                drop_all_segments(conn)?;
                remove_all(conn)?;
                Ok(diesel::delete(activity_log::table).execute(conn)? as u64)
            })
        })
    })
}
