//! Recording joins the caller's transaction, and connections wait for each other.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use activity_log::{Error, NewActivityLogEntry};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::RollbackTransaction;

use crate::database::{
    ActivityLogRepository, SharedLog, TAKES_UNIQUE_INDEXES, empty_log, hold_up_writers, stored_seqs, wait_at_most,
    with_read_transaction, with_write_transaction,
};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

#[test]
fn an_entry_recorded_in_a_committed_transaction_is_there() -> TestResult {
    let mut conn = empty_log()?;
    let seq = conn.transaction(|conn| ActivityLogRepository::new(conn).record(&numbered(1)))?;
    assert_eq!(stored_seqs(&mut conn)?, [seq]);
    Ok(())
}

#[test]
fn an_entry_recorded_in_a_rolled_back_transaction_is_gone() -> TestResult {
    let mut conn = empty_log()?;
    let rolled_back = conn.transaction::<(), Error, _>(|conn| {
        ActivityLogRepository::new(conn).record(&numbered(1))?;
        Err(RollbackTransaction.into())
    });
    assert!(matches!(rolled_back, Err(Error::Database(RollbackTransaction))));
    assert_eq!(stored_seqs(&mut conn)?, Vec::<i64>::new());
    Ok(())
}

#[test]
fn a_failed_record_leaves_the_callers_transaction_usable() -> TestResult {
    let mut conn = empty_log()?;
    conn.transaction::<_, Error, _>(|conn| {
        let mut log = ActivityLogRepository::new(conn);
        log.record(&numbered(1))?;
        assert!(log.record_all(&[numbered(2), numbered(1)]).is_err());
        log.record(&numbered(3))?;
        Ok(())
    })?;
    let entries = ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?;
    assert_eq!(entries.iter().map(|entry| entry.message.as_str()).collect::<Vec<_>>(), ["Tick 3", "Tick 1"]);
    Ok(())
}

#[test]
fn record_returns_the_seq_of_its_entry() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for expected in 1..=5 {
        let seq = log.record(&numbered(expected))?;
        let newest = log.query(&everything(), None, 1)?;
        assert_eq!((seq, seqs(&newest)), (expected, vec![expected]));
        assert_eq!(newest[0].id, numbered(expected).id);
    }
    Ok(())
}

#[test]
fn record_all_writes_in_slice_order() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.record_all(&[numbered(3), numbered(1), numbered(2)])?, 3);
    let entries = log.query_after(&everything(), 0, 9)?;
    assert_eq!(entries.iter().map(|entry| entry.message.as_str()).collect::<Vec<_>>(), ["Tick 3", "Tick 1", "Tick 2"]);
    Ok(())
}

#[test]
fn record_all_of_an_empty_slice_writes_nothing() -> TestResult {
    assert_eq!(ActivityLogRepository::new(&mut empty_log()?).record_all(&[])?, 0);
    Ok(())
}

#[test]
fn record_all_takes_more_entries_than_one_statement_can_bind() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 40_000)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 40_000);
    Ok(())
}

#[test]
fn record_all_reports_the_first_entry_at_fault() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(1))?;
    let unstorable = numbered(3).ts(chrono::DateTime::<chrono::Utc>::MAX_UTC);

    let taken = log.record_all(&[numbered(2), numbered(1), unstorable.clone()]);
    assert!(matches!(taken, Err(Error::DuplicateId { index: 1 })), "{taken:?}");
    let repeated = log.record_all(&[numbered(2), numbered(2), unstorable.clone()]);
    assert!(matches!(repeated, Err(Error::DuplicateId { index: 1 })), "{repeated:?}");
    let refused = log.record_all(&[numbered(2), unstorable, numbered(1)]);
    assert!(matches!(refused, Err(Error::InvalidEntry { index: 1, field: "ts", .. })), "{refused:?}");
    assert_eq!(log.count(&everything())?, 1);
    Ok(())
}

#[test]
fn record_all_is_all_or_nothing() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(2))?;

    let taken = log.record_all(&[numbered(1), numbered(2), numbered(3)]);
    assert!(matches!(taken, Err(Error::DuplicateId { index: 1 })), "{taken:?}");

    let unstorable = numbered(5).ts(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    let refused = log.record_all(&[numbered(4), numbered(6), unstorable]);
    assert!(matches!(refused, Err(Error::InvalidEntry { index: 2, field: "ts", .. })), "{refused:?}");

    assert_eq!(stored_seqs(&mut conn)?, [1]);
    Ok(())
}

#[test]
fn a_duplicate_id_is_refused() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(1))?;
    let again = log.record(&NewActivityLogEntry::new("auth", "a", "b", "c").id(numbered(1).id));
    assert!(matches!(again, Err(Error::DuplicateId { index: 0 })), "{again:?}");
    assert_eq!(log.count(&everything())?, 1);
    Ok(())
}

#[test]
fn a_reader_does_not_wait_for_a_writers_transaction() -> TestResult {
    let file = SharedLog::create()?;
    let (mut writer, mut reader) = (file.connect()?, file.connect()?);
    record_numbered(&mut writer, 3)?;
    wait_at_most(&mut reader, Duration::from_millis(0))?;

    with_write_transaction(&mut writer, |conn| {
        ActivityLogRepository::new(conn).record(&numbered(4))?;
        let seen = ActivityLogRepository::new(&mut reader).query(&everything(), None, 9)?;
        assert_eq!(seqs(&seen), [3, 2, 1]);
        Ok(())
    })?;
    let seen = ActivityLogRepository::new(&mut reader).query(&everything(), None, 9)?;
    assert_eq!(seqs(&seen), [4, 3, 2, 1]);
    Ok(())
}

#[test]
fn a_writer_does_not_wait_for_a_readers_transaction() -> TestResult {
    let file = SharedLog::create()?;
    let (mut writer, mut reader) = (file.connect()?, file.connect()?);
    wait_at_most(&mut writer, Duration::from_millis(0))?;

    with_read_transaction(&mut reader, |conn| {
        assert_eq!(ActivityLogRepository::new(conn).count(&everything())?, 0);
        ActivityLogRepository::new(&mut writer).record(&numbered(1))?;
        // The reader still sees the log as it was when its transaction first read.
        assert_eq!(ActivityLogRepository::new(conn).count(&everything())?, 0);
        Ok(())
    })?;
    assert_eq!(ActivityLogRepository::new(&mut reader).count(&everything())?, 1);
    Ok(())
}

#[test]
fn a_writer_waits_for_another_writer() -> TestResult {
    let file = SharedLog::create()?;
    let mut first = file.connect()?;
    hold_up_writers(&mut first)?;

    let mut second = file.connect()?;
    let (begun, beginning) = mpsc::channel();
    let recording = thread::spawn(move || {
        begun.send(()).ok();
        ActivityLogRepository::new(&mut second).record(&numbered(1)).map_err(|error| error.to_string())
    });
    beginning.recv()?;
    thread::sleep(Duration::from_millis(50));
    first.batch_execute("COMMIT")?;
    assert_eq!(recording.join().map_err(|_| "the writer panicked")??, 1);
    Ok(())
}

#[test]
fn a_writer_that_times_out_gets_a_busy_error() -> TestResult {
    let file = SharedLog::create()?;
    let (mut first, mut second) = (file.connect()?, file.connect()?);
    hold_up_writers(&mut first)?;
    wait_at_most(&mut second, Duration::from_millis(10))?;

    let mut log = ActivityLogRepository::new(&mut second);
    assert!(log.record(&numbered(1)).is_err_and(|error| matches!(error, Error::Busy(_))));
    first.batch_execute("ROLLBACK")?;
    assert_eq!(log.record(&numbered(1))?, 1);
    assert!(log.record(&numbered(1)).is_err_and(|error| !matches!(error, Error::Busy(_))));
    Ok(())
}

#[test]
fn a_violation_of_the_hosts_unique_index_is_not_reported_as_a_duplicate_id() -> TestResult {
    let mut conn = empty_log()?;
    let created = conn.batch_execute("CREATE UNIQUE INDEX one_of_each ON activity_log (action)");
    assert_eq!(created.is_ok(), TAKES_UNIQUE_INDEXES, "{created:?}");
    if !TAKES_UNIQUE_INDEXES {
        return Ok(());
    }
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(1))?;
    let refused = log.record(&numbered(2));
    assert!(
        matches!(refused, Err(Error::Database(diesel::result::Error::DatabaseError(UniqueViolation, _)))),
        "{refused:?}"
    );
    Ok(())
}
