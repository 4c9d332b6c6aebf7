//! Every method works inside a transaction that Diesel does not know, because it was begun as SQL text.

use activity_log::{ActivityLogRepository, disable_search, enable_search, resummarize, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::database::{empty_log, stored_seqs};
use crate::kinds::segments;
use crate::support::{TestResult, numbered, record_numbered};

/// Does `work` to a log of 9,000 rows in such a transaction, and returns what is left after it was rolled back.
fn rolled_back(work: impl FnOnce(&mut SqliteConnection) -> activity_log::Result<()>) -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("BEGIN")?;
    work(&mut conn)?;
    conn.batch_execute("ROLLBACK")?;
    assert_eq!(stored_seqs(&mut conn)?.len(), 9_000);
    assert_eq!(segments(&mut conn)?, [0, 4_096]);
    Ok(conn)
}

#[test]
fn record_all_is_part_of_the_transaction() -> TestResult {
    rolled_back(|conn| {
        let entries = (9_001..20_000).map(numbered).collect::<Vec<_>>();
        ActivityLogRepository::new(conn).record_all(&entries).map(drop)
    })?;
    Ok(())
}

#[test]
fn record_all_that_fails_leaves_the_transaction_usable() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("BEGIN")?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(1))?;
    assert!(log.record_all(&[numbered(2), numbered(1)]).is_err());
    log.record(&numbered(3))?;
    conn.batch_execute("COMMIT")?;
    assert_eq!(stored_seqs(&mut conn)?, [1, 2]);
    Ok(())
}

#[test]
fn prune_and_clear_are_part_of_the_transaction() -> TestResult {
    rolled_back(|conn| {
        assert_eq!(ActivityLogRepository::new(conn).prune(None, Some(10))?, 8_990);
        assert_eq!(ActivityLogRepository::new(conn).clear()?, 10);
        Ok(())
    })?;
    Ok(())
}

#[test]
fn what_changes_the_schema_is_part_of_the_transaction() -> TestResult {
    rolled_back(|conn| {
        enable_search(conn)?;
        resummarize(conn)?;
        disable_search(conn)?;
        run_migrations(conn)
    })?;
    Ok(())
}

/// Lets `work` fail in a way that makes SQLite roll back the whole transaction, with a message for which the crate would try
/// again outside a transaction. It must not: the host believes that it is still inside.
fn assert_refused_after_rollback(
    statement: &str,
    message: &str,
    work: impl FnOnce(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>,
) -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 100)?;
    conn.batch_execute(&format!(
        "CREATE TABLE devices (name); \
         CREATE TRIGGER hosts BEFORE {statement} ON activity_log WHEN EXISTS (SELECT 1 FROM devices) \
         BEGIN SELECT RAISE(ROLLBACK, '{message}'); END; \
         BEGIN; INSERT INTO devices VALUES ('Lamp')"
    ))?;
    assert!(work(&mut ActivityLogRepository::new(&mut conn)).is_err());
    assert_eq!(stored_seqs(&mut conn)?.len(), 100);
    Ok(())
}

#[test]
fn nothing_is_done_after_sqlite_has_rolled_back_the_transaction() -> TestResult {
    let (locked, full) = ("database is locked", "database or disk is full");
    assert_refused_after_rollback("INSERT", locked, |log| log.record(&numbered(101)).map(drop))?;
    assert_refused_after_rollback("INSERT", locked, |log| log.record_all(&[numbered(101)]).map(drop))?;
    assert_refused_after_rollback("DELETE", full, |log| log.prune(None, Some(10)).map(drop))?;
    assert_refused_after_rollback("DELETE", "pinned", |log| log.prune(None, Some(10)).map(drop))
}

#[test]
fn a_prune_does_nothing_after_sqlite_has_rolled_back_diesels_transaction() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 100)?;
    conn.batch_execute(
        "CREATE TRIGGER hosts BEFORE DELETE ON activity_log WHEN old.seq = 7 BEGIN SELECT RAISE(ROLLBACK, 'pinned'); END",
    )?;
    let outcome = conn.transaction(|conn| ActivityLogRepository::new(conn).prune(None, Some(10)));
    assert!(outcome.is_err());
    assert_eq!(stored_seqs(&mut conn)?.len(), 100);
    Ok(())
}
