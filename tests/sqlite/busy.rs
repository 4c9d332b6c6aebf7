//! How a connection behaves while another connection holds SQLite's locks.

use activity_log::{ActivityLogRepository, Error};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::behaviour::prune::time_of;
use crate::database::{SharedLog, stored_seqs};
use crate::support::{TestResult, everything, numbered, record_numbered};

#[test]
fn a_prune_with_nothing_due_takes_no_write_lock() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 10)?;
    conn.batch_execute("PRAGMA busy_timeout = 0")?;

    writer.batch_execute("BEGIN IMMEDIATE")?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.prune(Some(time_of(1)), Some(10))?, 0);
    // A prune that has something to delete does need the lock.
    assert!(log.prune(None, Some(9)).is_err_and(|error| matches!(error, Error::Busy(_))));
    writer.batch_execute("ROLLBACK")?;
    assert_eq!(log.prune(None, Some(9))?, 1);
    Ok(())
}

#[derive(QueryableByName)]
struct BusyTimeout {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    timeout: i64,
}

#[test]
fn prune_keeps_the_busy_timeout_of_the_connection() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 10)?;
    conn.batch_execute("PRAGMA busy_timeout = 30")?;
    let timeout = |conn: &mut SqliteConnection| {
        diesel::sql_query("PRAGMA busy_timeout").get_result::<BusyTimeout>(conn).map(|row| row.timeout)
    };

    assert_eq!(ActivityLogRepository::new(&mut conn).prune(None, Some(5))?, 5);
    assert_eq!(timeout(&mut conn)?, 30);

    writer.batch_execute("BEGIN IMMEDIATE")?;
    assert!(ActivityLogRepository::new(&mut conn).prune(None, Some(3)).is_err());
    assert_eq!(timeout(&mut conn)?, 30);
    Ok(())
}

#[test]
fn a_write_after_a_stale_read_fails_at_once_and_succeeds_in_a_new_transaction() -> TestResult {
    let file = SharedLog::create()?;
    let (mut one, mut other) = (file.connect()?, file.connect()?);
    let mut attempts = 0;
    let mut read_then_record = |conn: &mut SqliteConnection| {
        attempts += 1;
        let seen = ActivityLogRepository::new(conn).count(&everything())?;
        if attempts == 1 {
            ActivityLogRepository::new(&mut other).record(&numbered(1))?;
        }
        ActivityLogRepository::new(conn).record(&numbered(2))?;
        Ok::<_, Error>(seen)
    };
    assert!(one.transaction(&mut read_then_record).is_err_and(|error| matches!(error, Error::Busy(_))));
    assert_eq!(one.immediate_transaction(&mut read_then_record)?, 1);
    assert_eq!(stored_seqs(&mut one)?, [1, 2]);
    Ok(())
}

#[test]
fn a_write_after_a_stale_read_fails_at_once_in_a_transaction_begun_as_sql_text() -> TestResult {
    let file = SharedLog::create()?;
    let (mut one, mut other) = (file.connect()?, file.connect()?);
    // Long enough for a test that waits to be noticed.
    one.batch_execute("PRAGMA busy_timeout = 600000; BEGIN")?;
    ActivityLogRepository::new(&mut one).count(&everything())?;
    ActivityLogRepository::new(&mut other).record(&numbered(1))?;
    let refused = ActivityLogRepository::new(&mut one).record(&numbered(2));
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    one.batch_execute("ROLLBACK")?;
    assert_eq!(ActivityLogRepository::new(&mut one).record(&numbered(2))?, 2);
    Ok(())
}

#[test]
fn a_table_locked_by_a_shared_cache_is_busy_too() -> TestResult {
    let url = "file:shared-and-locked-by-this-test?mode=memory&cache=shared";
    let (mut one, mut other) = (activity_log::connect(url)?, activity_log::connect(url)?);
    activity_log::run_migrations(&mut one)?;
    one.immediate_transaction::<_, Error, _>(|one| {
        ActivityLogRepository::new(one).record(&numbered(1))?;
        let read = ActivityLogRepository::new(&mut other).count(&everything());
        assert!(matches!(read, Err(Error::Busy(_))), "{read:?}");
        Ok(())
    })?;
    assert_eq!(ActivityLogRepository::new(&mut other).count(&everything())?, 1);
    Ok(())
}
