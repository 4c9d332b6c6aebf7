//! Emptying the log at once.

use diesel::prelude::*;

use crate::Result;
use crate::chapters::DELETE_TRIGGER;
use crate::closing;
use crate::schema::activity_log;
use crate::search::without_index;
use crate::sqlite::{in_one_transaction, persistently, without_trigger};

/// Deletes every row; returns how many.
///
/// SQLite drops all pages at once, but only where no trigger asks for each row.
pub(crate) fn clear(conn: &mut SqliteConnection) -> Result<u64> {
    persistently(conn, |conn| {
        in_one_transaction(conn, |conn| {
            without_index(conn, |conn| {
                without_trigger(conn, DELETE_TRIGGER, |conn| {
                    closing::clear(conn)?;
                    Ok(diesel::delete(activity_log::table).execute(conn)? as u64)
                })
            })
        })
    })
}
