//! The ends of the log.

use diesel::dsl::{max, min, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::schema::activity_log;
use crate::sqlite::catalog::object::object_exists;

/// The least `seq`; `None` if the log is empty.
pub(crate) fn oldest_seq(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    activity_log::table.select(min(activity_log::seq)).get_result(conn)
}

/// The greatest `seq`; `None` if the log is empty.
pub(crate) fn newest_seq(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    activity_log::table.select(max(activity_log::seq)).get_result(conn)
}

/// The greatest `seq` that was given; `None` before the first. A table without AUTOINCREMENT forgets those that were deleted.
pub(crate) fn last_given_seq(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    let newest = newest_seq(conn)?;
    // SQLite creates it with the first table that has AUTOINCREMENT.
    if !object_exists(conn, "sqlite_sequence")? {
        return Ok(newest);
    }
    // 0 after an insert that failed before the first entry.
    let noted = diesel::select(sql::<Nullable<BigInt>>(NOTED)).get_result::<Option<i64>>(conn)?;
    Ok(newest.max(noted.filter(|noted| *noted > 0)))
}

/// The table may be spelled in other letters.
const NOTED: &str = "(SELECT max(seq) FROM sqlite_sequence WHERE name = 'activity_log' COLLATE NOCASE)";
