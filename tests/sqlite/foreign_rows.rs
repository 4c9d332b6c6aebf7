//! Rows in a table of another origin may hold values that the crate never writes.

use activity_log::{ActivityLogRepository, connect};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::behaviour::broken_rows::log_with_a_broken_row;
use crate::database::stored_seqs;
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

/// An empty table of another origin, not yet adopted, that allows NULL in most columns.
pub(crate) fn older_log() -> TestResult<SqliteConnection> {
    let mut conn = connect(":memory:")?;
    conn.batch_execute(
        "CREATE TABLE activity_log ( \
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, ts TEXT, category TEXT, action TEXT, \
            severity TEXT, actor TEXT, entity_type TEXT, entity_id TEXT, entity_name TEXT, message TEXT, \
            metadata TEXT DEFAULT '{}')",
    )?;
    Ok(conn)
}

#[test]
fn a_null_from_an_older_table_is_reported_with_its_column() -> TestResult {
    for column in ["id", "ts", "category", "action", "severity", "actor", "message", "metadata"] {
        let mut conn = activity_log::connect(":memory:")?;
        diesel::sql_query(
            "CREATE TABLE activity_log (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, ts TEXT, category TEXT,
             action TEXT, severity TEXT, actor TEXT, entity_type TEXT, entity_id TEXT, entity_name TEXT, message TEXT,
             metadata TEXT)",
        )
        .execute(&mut conn)?;
        activity_log::run_migrations(&mut conn)?;
        record_numbered(&mut conn, 3)?;
        diesel::sql_query(format!("UPDATE activity_log SET {column} = NULL WHERE seq = 2")).execute(&mut conn)?;

        let mut log = ActivityLogRepository::new(&mut conn);
        let exported = log.iter_export(&everything())?.map(|item| item.map_err(|error| error.to_string()));
        let exported = exported.map(|item| item.map(|entry| entry.seq)).collect::<Vec<_>>();
        let unread = format!("the entry with seq 2 cannot be read: its `{column}` is NULL");
        assert_eq!(exported, [Ok(1), Err(unread), Ok(3)]);
        assert_eq!(log.count(&everything())?, 3);
        // A row without a time is never older than a cutoff. Only the count deletes it.
        assert_eq!(log.prune(Some(numbered(3).ts), Some(1))?, 2, "{column}");
        assert_eq!(stored_seqs(&mut conn)?, [3], "{column}");
    }
    Ok(())
}

#[test]
fn bytes_that_are_not_utf_8_are_read_as_replacement_characters() -> TestResult {
    let mut conn = log_with_a_broken_row("actor = x'61ff62', message = CAST(x'fe' AS TEXT)")?;
    let entries = ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?;
    assert_eq!(seqs(&entries), [5, 4, 3, 2, 1]);
    assert_eq!((entries[2].actor.as_str(), entries[2].message.as_str()), ("a\u{FFFD}b", "\u{FFFD}"));
    Ok(())
}
