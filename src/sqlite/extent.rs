//! The ends of the log.

use diesel::dsl::{max, min};
use diesel::prelude::*;

use crate::schema::activity_log;

/// The least `seq`; `None` if the log is empty.
pub(crate) fn oldest_seq(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    activity_log::table.select(min(activity_log::seq)).get_result(conn)
}

/// The greatest `seq`; `None` if the log is empty.
pub(crate) fn newest_seq(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    activity_log::table.select(max(activity_log::seq)).get_result(conn)
}
