//! On a full disk, recording fails with a clear error, nothing is half-written, and a prune makes room.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use activity_log::{
    ActivityLogRepository, Error, NewActivityLogEntry, RESERVE_BYTES, connect, keep_reserve, run_migrations,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::database::{SharedLog, empty_log, stored_seqs};
use crate::support::{TestResult, everything, numbered, record_numbered};

/// A separate file system with little room. Mounting one requires privileges, so tests without them are skipped.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn mount() -> TestResult<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(folder.path()).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Ok(Some(Self(folder)));
        }
        println!("skipped: mounting a file system for the test is not permitted");
        Ok(None)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn log(&self) -> TestResult<SqliteConnection> {
        let mut conn = connect(&self.path().join("log.db").display().to_string())?;
        run_migrations(&mut conn)?;
        Ok(conn)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.path().display());
    }
}

fn entry() -> NewActivityLogEntry {
    NewActivityLogEntry::new("system", "filled", "test", "x".repeat(300))
}

/// Records until there is no room, and returns the acknowledged `seq`s.
pub(crate) fn fill(conn: &mut SqliteConnection) -> TestResult<Vec<i64>> {
    let mut acknowledged = Vec::new();
    loop {
        match ActivityLogRepository::new(conn).record(&entry()) {
            Ok(seq) => acknowledged.push(seq),
            Err(Error::Full(_)) => return Ok(acknowledged),
            Err(error) => return Err(error.into()),
        }
    }
}

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

fn assert_whole(conn: &mut SqliteConnection) -> TestResult {
    let check = diesel::sql_query("PRAGMA integrity_check").get_result::<Check>(conn)?;
    assert_eq!(check.integrity_check, "ok");
    Ok(())
}

/// A log whose database has a little room left and may not grow.
fn limited_log() -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    ActivityLogRepository::new(&mut conn).clear()?;
    conn.batch_execute("PRAGMA max_page_count = 1")?; // SQLite raises the limit to the current size of the database.
    Ok(conn)
}

#[test]
fn a_database_at_its_size_limit_refuses_entries_and_keeps_the_acknowledged_ones() -> TestResult {
    let mut conn = limited_log()?;
    let acknowledged = fill(&mut conn)?;
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    assert_eq!(stored_seqs(&mut conn)?, acknowledged);
    assert_whole(&mut conn)
}

#[test]
fn record_all_without_room_records_nothing() -> TestResult {
    let mut conn = limited_log()?;
    let entries = (0..5_000).map(|_| entry()).collect::<Vec<_>>();
    let refused = ActivityLogRepository::new(&mut conn).record_all(&entries);
    assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    assert_eq!(stored_seqs(&mut conn)?, Vec::<i64>::new());
    assert_whole(&mut conn)?;
    // The connection remains fully usable.
    ActivityLogRepository::new(&mut conn).record_all(&entries[..50])?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 50);
    Ok(())
}

#[test]
fn a_transaction_without_room_changes_nothing() -> TestResult {
    let mut conn = limited_log()?;
    conn.batch_execute("PRAGMA max_page_count = 100000; CREATE TABLE devices (name TEXT); PRAGMA max_page_count = 1")?;
    fill(&mut conn)?;
    let refused = conn.transaction::<_, Error, _>(|conn| {
        diesel::sql_query("UPDATE activity_log SET actor = 'changed'").execute(conn)?;
        ActivityLogRepository::new(conn).record(&NewActivityLogEntry::new("a", "b", "c", "x".repeat(100_000)))
    });
    // SQLite has already rolled back. Diesel's own rollback only detects that.
    assert!(refused.is_err());
    let changed = activity_log::ActivityLogFilters { actor: Some("changed".to_owned()), ..everything() };
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&changed)?, 0);
    Ok(())
}

/// A log with room for one more entry, but not for the segment that the entry completes.
fn log_without_room_for_a_segment() -> TestResult<(SharedLog, SqliteConnection)> {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    conn.batch_execute("CREATE TABLE devices (name TEXT)")?;
    let entries = (1..=4_095).map(|number| NewActivityLogEntry {
        actor: format!("somebody with a number and with a name that takes up some room, {number}"),
        message: "x".repeat(500),
        ..numbered(number)
    });
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    conn.batch_execute("PRAGMA max_page_count = 1")?; // SQLite raises the limit to the current size of the database.
    Ok((file, conn))
}

#[test]
fn an_entry_is_recorded_even_without_room_for_the_segment_it_completes() -> TestResult {
    let (_file, mut conn) = log_without_room_for_a_segment()?;
    assert_eq!(ActivityLogRepository::new(&mut conn).record(&numbered(4_096))?, 4_096);
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 4_096);
    Ok(())
}

#[test]
fn a_transaction_without_room_for_a_segment_changes_nothing() -> TestResult {
    let (_file, mut conn) = log_without_room_for_a_segment()?;
    let outcome = conn.immediate_transaction::<(), Error, _>(|conn| {
        ActivityLogRepository::new(conn).record(&numbered(4_096))?;
        diesel::sql_query("INSERT INTO devices VALUES ('Lamp')").execute(conn)?;
        Ok(())
    });
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 4_095);
    assert_eq!(diesel::sql_query("UPDATE devices SET name = ''").execute(&mut conn)?, 0);
    Ok(())
}

#[test]
fn a_prune_makes_room_in_a_database_at_its_size_limit() -> TestResult {
    let mut conn = limited_log()?;
    let acknowledged = fill(&mut conn)?;
    let excess = acknowledged.len() as u64 - 10;
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(None, Some(10))?, excess);
    let more = fill(&mut conn)?;
    assert!(more.len() > 100, "{}", more.len());
    assert_whole(&mut conn)
}

#[test]
fn a_full_disk_refuses_entries_and_keeps_the_acknowledged_ones() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    let acknowledged = fill(&mut conn)?;
    assert!(acknowledged.len() > 1_000, "{}", acknowledged.len());
    assert_eq!(stored_seqs(&mut conn)?, acknowledged);
    assert_whole(&mut conn)?;

    // The next process finds the same state, without help.
    drop(conn);
    let mut conn = disk.log()?;
    assert_eq!(stored_seqs(&mut conn)?, acknowledged);
    Ok(())
}

#[test]
fn record_all_on_a_full_disk_records_nothing() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    let entries = (0..60_000).map(|_| entry()).collect::<Vec<_>>();
    let refused = ActivityLogRepository::new(&mut conn).record_all(&entries);
    // The disk may become full in the write-ahead log or in its shared-memory index.
    let reason = refused.err().ok_or("there was room")?.to_string();
    assert!(reason.contains("database or disk is full") || reason.contains("disk I/O error"), "{reason}");
    assert_eq!(stored_seqs(&mut conn)?, Vec::<i64>::new());
    ActivityLogRepository::new(&mut conn).record_all(&entries[..50])?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 50);
    Ok(())
}

#[test]
fn a_prune_on_a_full_disk_uses_the_reserve_and_recording_continues() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    let reserve = disk.path().join("log.db-reserve");
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    assert_eq!(fs::metadata(&reserve)?.len(), RESERVE_BYTES);

    let acknowledged = fill(&mut conn)?;
    let deleted = ActivityLogRepository::new(&mut conn).prune(None, Some(1_000))?;
    assert_eq!(deleted, acknowledged.len() as u64 - 1_000);
    assert!(!reserve.exists());
    assert!(acknowledged.ends_with(&stored_seqs(&mut conn)?));

    let more = fill(&mut conn)?;
    assert!(more.len() > 1_000, "{}", more.len());
    assert_whole(&mut conn)
}

#[test]
fn the_reserve_is_recreated_once_there_is_room_again() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    for _ in 0..3 {
        keep_reserve(&mut conn, RESERVE_BYTES)?;
        assert_eq!(fs::metadata(disk.path().join("log.db-reserve"))?.len(), RESERVE_BYTES);
        fill(&mut conn)?;
        ActivityLogRepository::new(&mut conn).prune(None, Some(100))?;
        activity_log::reclaim(&mut conn)?;
    }
    Ok(())
}

#[test]
fn a_prune_on_a_full_disk_without_a_reserve_reports_full_and_succeeds_once_there_is_room() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let filler = disk.path().join("another program's file");
    fs::write(&filler, vec![1; 1 << 20])?;
    let mut conn = disk.log()?;
    let acknowledged = fill(&mut conn)?;

    let refused = ActivityLogRepository::new(&mut conn).prune(None, Some(100));
    assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    assert_eq!(stored_seqs(&mut conn)?, acknowledged);

    fs::remove_file(filler)?;
    let deleted = ActivityLogRepository::new(&mut conn).prune(None, Some(100))?;
    assert_eq!(deleted, acknowledged.len() as u64 - 100);
    assert!(fill(&mut conn)?.len() > 1_000);
    Ok(())
}

#[test]
fn a_reserve_without_room_is_an_error_and_leaves_no_file() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    fs::write(disk.path().join("filler"), vec![1; 9 << 20])?;
    let refused = keep_reserve(&mut conn, RESERVE_BYTES);
    assert!(matches!(refused, Err(Error::Reserve(_))), "{refused:?}");
    assert!(!disk.path().join("log.db-reserve").exists());
    ActivityLogRepository::new(&mut conn).record(&entry())?;
    Ok(())
}

#[test]
fn an_existing_reserve_is_kept_unless_it_is_too_small() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    let reserve = format!("{}-reserve", file.url());
    fs::write(&reserve, vec![7; RESERVE_BYTES as usize])?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    assert!(fs::read(&reserve)?.iter().all(|byte| *byte == 7));
    fs::write(&reserve, "short")?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    assert_eq!(fs::metadata(&reserve)?.len(), RESERVE_BYTES);
    Ok(())
}

#[test]
fn threads_may_keep_the_reserve_at_once() -> TestResult {
    for _ in 0..40 {
        let file = SharedLog::create()?;
        thread::scope(|scope| -> TestResult {
            let keepers = (0..8).map(|keeper| {
                let mut conn = file.connect()?;
                // Two of them want another size.
                Ok(scope.spawn(move || keep_reserve(&mut conn, 100_000 + keeper % 2)))
            });
            let keepers = keepers.collect::<TestResult<Vec<_>>>()?;
            keepers.into_iter().try_for_each(|keeper| Ok(keeper.join().map_err(|_| "a thread panicked")??))
        })?;
        let size = fs::metadata(format!("{}-reserve", file.url()))?.len();
        assert!([100_000, 100_001].contains(&size), "{size}");
        assert!(!fs::exists(format!("{}-reserve.unfinished", file.url()))?);
    }
    Ok(())
}

#[test]
fn a_call_waits_while_another_process_writes_the_reserve() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    let unfinished = format!("{}-reserve.unfinished", file.url());
    let other = fs::File::create(&unfinished)?;
    other.lock()?;
    let keeper = thread::spawn(move || keep_reserve(&mut conn, 100_000));
    thread::sleep(Duration::from_millis(200));
    assert!(!keeper.is_finished());
    assert_eq!(fs::metadata(&unfinished)?.len(), 0);
    drop(other);
    keeper.join().map_err(|_| "the thread panicked")??;
    assert_eq!(fs::metadata(format!("{}-reserve", file.url()))?.len(), 100_000);
    Ok(())
}

#[test]
fn what_a_killed_call_left_of_the_reserve_is_removed() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    let unfinished = format!("{}-reserve.unfinished", file.url());
    for _ in 0..2 {
        fs::write(&unfinished, "a part")?;
        keep_reserve(&mut conn, 1_000)?;
        assert!(!fs::exists(&unfinished)?);
        assert_eq!(fs::metadata(format!("{}-reserve", file.url()))?.len(), 1_000);
    }
    Ok(())
}

#[test]
fn a_reserve_has_the_requested_size_and_leaves_no_other_files() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    for bytes in [1_000_003, 8, 0, RESERVE_BYTES] {
        keep_reserve(&mut conn, bytes)?;
        assert_eq!(fs::metadata(format!("{}-reserve", file.url()))?.len(), bytes);
    }
    let folder = Path::new(&file.url()).parent().ok_or("no folder")?.to_owned();
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<TestResult<Vec<_>>>()?;
    names.sort();
    assert_eq!(names, ["log.db", "log.db-reserve", "log.db-shm", "log.db-wal"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_reserve_never_writes_through_a_link_with_its_name() -> TestResult {
    let file = SharedLog::create()?;
    let victim = format!("{}-victim", file.url());
    fs::write(&victim, "precious")?;
    std::os::unix::fs::symlink(&victim, format!("{}-reserve", file.url()))?;
    keep_reserve(&mut file.connect()?, RESERVE_BYTES)?;
    assert_eq!(fs::read_to_string(&victim)?, "precious");
    assert_eq!(fs::symlink_metadata(format!("{}-reserve", file.url()))?.len(), RESERVE_BYTES);
    Ok(())
}

#[test]
fn a_prune_on_a_full_disk_does_not_block_writers_while_a_reader_is_active() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    let mut reader = disk.log()?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    let acknowledged = fill(&mut conn)?;
    reader.transaction::<_, Error, _>(|reader| {
        ActivityLogRepository::new(reader).count(&everything())?;
        // The reader keeps the write-ahead log from being emptied, but the log can grow into the space of the reserve.
        let pruned = ActivityLogRepository::new(&mut conn).prune(None, Some(acknowledged.len() as u64 - 200));
        assert!(matches!(pruned, Ok(200)), "{pruned:?}");
        Ok(())
    })?;
    Ok(())
}

#[test]
fn a_prune_that_fails_for_another_reason_keeps_the_reserve() -> TestResult {
    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    record_numbered(&mut conn, 10)?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    conn.batch_execute("CREATE TRIGGER no BEFORE DELETE ON activity_log BEGIN INSERT INTO missing VALUES (1); END;")?;
    assert!(matches!(ActivityLogRepository::new(&mut conn).prune(None, Some(1)), Err(Error::Database(_))));
    assert_eq!(fs::metadata(format!("{}-reserve", file.url()))?.len(), RESERVE_BYTES);
    Ok(())
}

#[test]
fn a_migration_without_room_reports_full_and_leaves_nothing() -> TestResult {
    let mut refused = 0;
    for pages in 1..30 {
        let mut conn = connect(":memory:")?;
        conn.batch_execute(&format!("PRAGMA max_page_count = {pages}"))?;
        match run_migrations(&mut conn) {
            Ok(()) => break,
            Err(Error::Full(_)) => refused += 1,
            Err(error) => return Err(format!("{pages} pages: {error}").into()),
        }
        conn.batch_execute("PRAGMA max_page_count = 1000")?;
        run_migrations(&mut conn)?;
        ActivityLogRepository::new(&mut conn).record(&entry())?;
    }
    assert!(refused > 5, "{refused}");
    Ok(())
}

#[test]
fn an_in_memory_database_keeps_no_reserve() -> TestResult {
    keep_reserve(&mut empty_log()?, RESERVE_BYTES)?;
    Ok(())
}
