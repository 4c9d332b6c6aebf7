//! Rows that the host inserts with a statement of its own are entries like any others.

use activity_log::schema::activity_log as log;
use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry, NewActivityLogRow};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::DatabaseError;
use diesel::sql_types::Text;

use crate::database::empty_log;
use crate::support::{TestResult, at, everything, numbered, read_back, seqs};

diesel::table! {
    events (id) {
        id -> BigInt,
        happened_at -> BigInt,
        user_name -> Text,
        what -> Text,
    }
}

/// A log beside a former table of the host's.
fn log_with_events() -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "CREATE TABLE events (id INTEGER PRIMARY KEY, happened_at BIGINT, user_name TEXT, what TEXT); \
         INSERT INTO events VALUES (8, 1767225660, 'bob', 'It''s off'), (7, 1767225600, 'alice', 'It''s on')",
    )?;
    Ok(conn)
}

/// Copies the former table into the log, as the documentation of `schema` shows.
fn copy_events(conn: &mut SqliteConnection) -> QueryResult<usize> {
    let rows = events::table.order(events::id).select((
        sql::<Text>("'event_' || events.id"),
        sql::<Text>("strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', events.happened_at, 'unixepoch')"),
        "system".into_sql::<Text>(),
        "event".into_sql::<Text>(),
        "info".into_sql::<Text>(),
        events::user_name,
        events::what,
        sql::<Text>("json_object('event', events.id)"),
    ));
    diesel::insert_into(log::table)
        .values(rows)
        .into_columns((
            log::id,
            log::ts,
            log::category,
            log::action,
            log::severity,
            log::actor,
            log::message,
            log::metadata,
        ))
        .execute(conn)
}

#[test]
fn rows_copied_from_a_table_of_the_hosts_are_entries() -> TestResult {
    let mut conn = log_with_events()?;
    assert_eq!(copy_events(&mut conn)?, 2);
    let event = |id: i64, actor: &str, ts: &str, what: &str| -> TestResult<NewActivityLogEntry> {
        let entry = NewActivityLogEntry::new("system", "event", actor, what).ts(at(ts)?);
        Ok(entry.id(format!("event_{id}")).metadata_value("event", id))
    };
    let expected = [
        read_back(event(7, "alice", "2026-01-01T00:00:00Z", "It's on")?, 1),
        read_back(event(8, "bob", "2026-01-01T00:01:00Z", "It's off")?, 2),
    ];
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.query_after(&everything(), 0, 9)?, expected);
    let since = ActivityLogFilters { since: Some(at("2026-01-01T00:01:00Z")?), ..everything() };
    assert_eq!(seqs(&log.query(&since, None, 9)?), [2]);
    assert_eq!(log.record(&numbered(3))?, 3);
    Ok(())
}

#[test]
fn a_taken_id_fails_a_statement_of_the_hosts_and_changes_nothing() -> TestResult {
    let mut conn = log_with_events()?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1).id("event_8"))?;
    let copied = copy_events(&mut conn);
    assert!(matches!(copied, Err(DatabaseError(UniqueViolation, _))), "{copied:?}");
    let again = diesel::insert_or_ignore_into(log::table)
        .values(NewActivityLogRow::from_entry(&numbered(2).id("event_8"))?)
        .execute(&mut conn)?;
    assert_eq!(again, 0);
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 1);
    Ok(())
}
