//! The greatest number that the log has given to an entry, whether or not it still holds that entry.

use activity_log::ActivityLogRepository;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// The greatest `seq` that was given; 0 before the first. A follower beyond it comes from another log: this one was
/// restored from an older copy, or begun again.
pub(crate) fn last_given(conn: &mut SqliteConnection) -> activity_log::Result<i64> {
    let newest = ActivityLogRepository::new(conn).newest_seq()?.unwrap_or_default();
    Ok(newest.max(noted(conn)?))
}

/// What SQLite has noted for AUTOINCREMENT; 0 for a table without it, which may give a number again once the newest
/// entries are deleted.
fn noted(conn: &mut SqliteConnection) -> QueryResult<i64> {
    let tables = "SELECT count(*) AS number FROM sqlite_master WHERE name = 'sqlite_sequence'";
    if number(conn, tables)? == 0 {
        return Ok(0);
    }
    // The table may be spelled in other letters.
    let noted =
        "SELECT coalesce(max(seq), 0) AS number FROM sqlite_sequence WHERE name = 'activity_log' COLLATE NOCASE";
    number(conn, noted)
}

fn number(conn: &mut SqliteConnection, query: &str) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }

    let row: Row = diesel::sql_query(query).get_result(conn)?;
    Ok(row.number)
}
