//! Retention beside SQLite's locks and on full disks.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use activity_log::{
    ActivityLogEntry, ActivityLogRepository, Error, NewActivityLogEntry, RESERVE_BYTES, RetentionHooks,
    RetentionPolicy, RetentionWorker, RetentionWorkerOptions, keep_reserve,
};
use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::behaviour::prune::range;
use crate::behaviour::retention::{RUNNING, apply};
use crate::database::{SharedLog, empty_log, stored_seqs};
use crate::full_disk::{SmallDisk, fill};
use crate::retention_held_back::Calls;
use crate::support::{TestResult, record_numbered};

#[test]
fn a_run_with_nothing_due_takes_no_write_lock() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 10)?;
    conn.batch_execute("PRAGMA busy_timeout = 0")?;
    writer.batch_execute("BEGIN IMMEDIATE")?;
    let policy = RetentionPolicy::new().max_age(TimeDelta::days(365_000)).max_entries(10).max_bytes(10_000);
    assert_eq!(apply(&mut conn, &policy, Utc::now())?.deleted, 0);
    let refused = ActivityLogRepository::new(&mut conn).apply_retention(&policy.max_entries(9), Utc::now(), &RUNNING);
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    Ok(())
}

#[test]
fn rows_that_another_connection_deletes_meanwhile_are_not_counted() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut other) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 100)?;
    let mut archive =
        Calls(|_: &[ActivityLogEntry]| Ok(other.batch_execute("DELETE FROM activity_log WHERE seq <= 30")?));
    let hooks = RetentionHooks::new().archive(&mut archive);
    let policy = RetentionPolicy::new().max_entries(10);
    let report = ActivityLogRepository::new(&mut conn).apply_retention_with(&policy, Utc::now(), &RUNNING, hooks)?;
    assert_eq!((report.deleted, report.held_back), (60, 0));
    assert_eq!(stored_seqs(&mut conn)?, range(91, 100));
    Ok(())
}

#[test]
fn no_lock_is_held_while_a_batch_is_archived_and_a_busy_database_archives_it_once() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 100)?;
    // The writer takes the lock while the batch is archived, and releases it later.
    let (locked, locking) = channel();
    let releasing = thread::spawn(move || -> TestResult {
        let mut writer: SqliteConnection = locking.recv()?;
        thread::sleep(Duration::from_millis(50));
        Ok(writer.batch_execute("COMMIT")?)
    });
    writer.batch_execute("PRAGMA busy_timeout = 0")?;
    let mut writer = Some(writer);
    let mut archived = 0;
    let mut archive = Calls(|entries: &[ActivityLogEntry]| {
        archived += entries.len();
        let mut writer = writer.take().ok_or("a batch is archived twice")?;
        writer.batch_execute("BEGIN IMMEDIATE")?;
        locked.send(writer).map_err(|_| "nobody releases the lock".into())
    });
    let hooks = RetentionHooks::new().archive(&mut archive);
    let policy = RetentionPolicy::new().max_entries(0);
    let report = ActivityLogRepository::new(&mut conn).apply_retention_with(&policy, Utc::now(), &RUNNING, hooks)?;
    releasing.join().map_err(|_| "the writer panicked")??;
    assert_eq!((report.deleted, archived), (100, 100));
    Ok(())
}

#[test]
fn a_run_beside_writers_that_never_pause_loses_nothing_and_fails_none_of_them() -> TestResult {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, 20_000)?;
    let done = AtomicBool::new(false);
    let recorded = thread::scope(|scope| -> TestResult<Vec<i64>> {
        let writers = [file.connect()?, file.connect()?].map(|mut conn| {
            let done = &done;
            scope.spawn(move || {
                let mut seqs = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    seqs.push(
                        ActivityLogRepository::new(&mut conn).record(&NewActivityLogEntry::new("a", "b", "c", "d"))?,
                    );
                }
                Ok::<_, Error>(seqs)
            })
        });
        let outcome = apply(&mut file.connect()?, &RetentionPolicy::new().max_entries(10), Utc::now());
        done.store(true, Ordering::Relaxed);
        let mut recorded = Vec::new();
        for writer in writers {
            recorded.extend(writer.join().map_err(|_| "a writer panicked")??);
        }
        assert!(outcome?.deleted >= 19_990);
        Ok(recorded)
    })?;
    let left = stored_seqs(&mut file.connect()?)?;
    let newest = recorded.iter().filter(|seq| !left.contains(seq)).count();
    // Only those recorded before the run began may have been due.
    assert!(newest < recorded.len().max(1), "{newest} of {}", recorded.len());
    assert!(left.windows(2).skip_while(|pair| pair[0] <= 20_000).all(|pair| pair[0] + 1 == pair[1]));
    Ok(())
}

#[test]
fn a_run_on_a_full_disk_uses_the_reserve_and_recording_continues() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    let acknowledged = fill(&mut conn)?;
    let policy = RetentionPolicy::new().max_age(TimeDelta::zero()).keep_at_least(1_000);
    let report = apply(&mut conn, &policy, Utc::now())?;
    assert_eq!(report.deleted, acknowledged.len() as u64 - 1_000);
    assert!(!disk.path().join("log.db-reserve").exists());
    assert!(acknowledged.ends_with(&stored_seqs(&mut conn)?));
    assert!(fill(&mut conn)?.len() > 1_000);
    Ok(())
}

#[test]
fn a_worker_gives_space_back_and_keeps_the_reserve() -> TestResult {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, 20_000)?;
    let pages = |conn: &mut SqliteConnection| -> TestResult<(i64, i64)> {
        let pages = "(SELECT page_count FROM pragma_page_count)";
        let free = "(SELECT freelist_count FROM pragma_freelist_count)";
        let number = diesel::dsl::sql::<diesel::sql_types::BigInt>;
        Ok(diesel::select((number(pages), number(free))).get_result(conn)?)
    };
    let (before, _) = pages(&mut file.connect()?)?;
    let (reported, reports) = channel();
    let options = RetentionWorkerOptions::new()
        .first_run_after(Duration::ZERO)
        .interval(Duration::from_secs(1))
        .keep_reserve(RESERVE_BYTES)
        .on_report(move |report| {
            reported.send(report.deleted).ok();
        });
    let worker = RetentionWorker::start(file.connector(), RetentionPolicy::new().max_entries(100), options)?;
    assert_eq!(reports.recv_timeout(Duration::from_secs(60))?, 19_900);
    // The next run begins after all that the first one does.
    reports.recv_timeout(Duration::from_secs(60))?;
    worker.stop();
    let (after, free) = pages(&mut file.connect()?)?;
    assert!(after < before / 10 && free < 10, "{before} pages, then {after}, of them {free} free");
    assert_eq!(fs::metadata(format!("{}-reserve", file.url()))?.len(), RESERVE_BYTES);
    Ok(())
}

#[test]
fn a_run_keeps_the_busy_timeout_of_the_connection() -> TestResult {
    #[derive(QueryableByName)]
    struct BusyTimeout {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        timeout: i64,
    }
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 10)?;
    conn.batch_execute("PRAGMA busy_timeout = 30")?;
    apply(&mut conn, &RetentionPolicy::new().max_entries(5), Utc::now())?;
    assert_eq!(diesel::sql_query("PRAGMA busy_timeout").get_result::<BusyTimeout>(&mut conn)?.timeout, 30);
    Ok(())
}
