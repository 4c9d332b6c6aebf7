//! The space that a prune frees is reused or returned to the file system.

use std::fs;

use activity_log::{ActivityLogRepository, NewActivityLogEntry, reclaim, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::database::{SharedLog, empty_log, stored_seqs};
use crate::support::{TestResult, everything, record_numbered};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn pragma(conn: &mut SqliteConnection, name: &str) -> TestResult<i64> {
    let value = diesel::sql_query(format!("SELECT {name} AS number FROM pragma_{name}"));
    Ok(value.get_result::<Number>(conn)?.number)
}

fn record_long(conn: &mut SqliteConnection, count: usize) -> TestResult {
    let entries = (0..count).map(|_| NewActivityLogEntry::new("a", "b", "c", "x".repeat(1_000))).collect::<Vec<_>>();
    ActivityLogRepository::new(conn).record_all(&entries)?;
    Ok(())
}

#[test]
fn the_space_of_pruned_entries_is_reused() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    record_long(&mut conn, 2_000)?;
    let full = pragma(&mut conn, "page_count")?;
    for _ in 0..5 {
        ActivityLogRepository::new(&mut conn).prune(None, Some(100))?;
        record_long(&mut conn, 1_900)?;
    }
    assert!(pragma(&mut conn, "page_count")? <= full + full / 20);
    Ok(())
}

#[test]
fn reclaim_returns_the_free_pages_and_shrinks_the_file() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    record_long(&mut conn, 5_000)?;
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    let full = fs::metadata(file.url())?.len();

    ActivityLogRepository::new(&mut conn).prune(None, Some(100))?;
    let free = pragma(&mut conn, "freelist_count")?;
    assert!(free > 1_000, "{free}");

    let given_back = reclaim(&mut conn)?;
    assert_eq!(pragma(&mut conn, "freelist_count")?, 0);
    let small = fs::metadata(file.url())?.len();
    assert_eq!(full - small, given_back);
    assert!(given_back >= free as u64 * 4_096, "{given_back} of {free} pages");
    assert_eq!(fs::metadata(format!("{}-wal", file.url()))?.len(), 0);
    assert_eq!(stored_seqs(&mut conn)?, (4_901..=5_000).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn reclaim_with_nothing_free_takes_no_write_lock() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    conn.batch_execute("PRAGMA busy_timeout = 0")?;
    writer.batch_execute("BEGIN IMMEDIATE")?;
    assert_eq!(reclaim(&mut conn)?, 0);
    Ok(())
}

#[test]
fn reclaim_does_not_wait_for_a_reader() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut reader) = (file.connect()?, file.connect()?);
    record_long(&mut conn, 2_000)?;
    ActivityLogRepository::new(&mut conn).clear()?;
    reader.transaction::<_, activity_log::Error, _>(|reader| {
        ActivityLogRepository::new(reader).count(&everything())?;
        assert!(reclaim(&mut conn)? > 0);
        Ok(())
    })?;
    assert_eq!(pragma(&mut conn, "freelist_count")?, 0);
    Ok(())
}

#[test]
fn reclaim_in_a_transaction_is_part_of_it() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    record_long(&mut conn, 2_000)?;
    ActivityLogRepository::new(&mut conn).clear()?;
    let free = pragma(&mut conn, "freelist_count")?;
    let rolled_back = conn.transaction::<(), activity_log::Error, _>(|conn| {
        assert!(reclaim(conn)? > 0);
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(pragma(&mut conn, "freelist_count")?, free);
    Ok(())
}

#[test]
fn an_existing_database_of_the_host_keeps_its_pages() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("host.db").display().to_string();
    SqliteConnection::establish(&path)?.batch_execute("CREATE TABLE devices (name TEXT)")?;

    let mut conn = activity_log::connect(&path)?;
    run_migrations(&mut conn)?;
    record_numbered(&mut conn, 2_000)?;
    ActivityLogRepository::new(&mut conn).clear()?;
    assert_eq!(pragma(&mut conn, "auto_vacuum")?, 0);
    let pages = pragma(&mut conn, "page_count")?;
    assert_eq!(reclaim(&mut conn)?, 0);
    assert_eq!(pragma(&mut conn, "page_count")?, pages);
    Ok(())
}

#[test]
fn a_new_database_configured_by_the_host_can_be_reclaimed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut conn = SqliteConnection::establish(&folder.path().join("host.db").display().to_string())?;
    activity_log::configure(&mut conn)?;
    run_migrations(&mut conn)?;
    record_numbered(&mut conn, 2_000)?;
    ActivityLogRepository::new(&mut conn).clear()?;
    assert!(reclaim(&mut conn)? > 0);
    Ok(())
}

#[test]
fn an_in_memory_database_can_be_reclaimed_too() -> TestResult {
    let mut conn = empty_log()?;
    record_long(&mut conn, 500)?;
    ActivityLogRepository::new(&mut conn).clear()?;
    assert!(reclaim(&mut conn)? > 0);
    assert_eq!(pragma(&mut conn, "freelist_count")?, 0);
    Ok(())
}
