//! What a retention run deletes is in the archive, or it is not deleted.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};

use activity_log::{
    ActivityLogEntry, Error, RetentionArchive, RetentionHooks, RetentionPolicy, RetentionReport, export,
};
use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection;

use crate::behaviour::prune::range;
use crate::behaviour::retention::RUNNING;
use crate::database::{ActivityLogRepository, Connection, empty_log, stored_seqs};
use crate::support::{TestResult, everything, numbered, read_back, record_numbered, seqs};

fn apply(
    conn: &mut Connection,
    policy: &RetentionPolicy,
    archive: &mut (dyn RetentionArchive + Send),
) -> activity_log::Result<RetentionReport> {
    let hooks = RetentionHooks::new().archive(archive);
    ActivityLogRepository::new(conn).apply_retention_with(policy, Utc::now(), &RUNNING, hooks)
}

fn all_but(entries: u64) -> RetentionPolicy {
    RetentionPolicy::new().max_entries(entries)
}

/// The entries of whole lines, and the number of lines that cannot be read.
fn read(file: &[u8]) -> (Vec<ActivityLogEntry>, usize) {
    let (mut entries, mut unreadable) = (Vec::new(), 0);
    for line in export::read_ndjson(file) {
        match line {
            Ok(entry) => entries.push(entry),
            Err(_) => unreadable += 1,
        }
    }
    (entries, unreadable)
}

#[test]
fn what_is_deleted_is_in_the_archive_in_the_order_of_recording() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2_000)?;
    let before = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, 1_900)?;
    let mut file = Vec::new();
    let report = apply(&mut conn, &all_but(100), &mut export::WriterArchive::new(&mut file))?;
    assert_eq!(report.deleted, 1_900);
    assert_eq!(read(&file), (before, 0));
    assert_eq!(stored_seqs(&mut conn)?, range(1_901, 2_000));
    Ok(())
}

/// A writer that takes this many bytes and then fails, or that fails to flush.
struct Failing {
    room: usize,
    written: Vec<u8>,
    flushes: bool,
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Err(io::Error::other("no room"));
        }
        self.room -= taken;
        self.written.extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.flushes { Ok(()) } else { Err(io::Error::other("the other end is gone")) }
    }
}

#[test]
fn nothing_is_deleted_of_a_batch_whose_archive_fails() -> TestResult {
    for (room, flushes) in [(0, true), (200, true), (usize::MAX, false), (150_000, true)] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        let mut writer = Failing { room, written: Vec::new(), flushes };
        let failed = apply(&mut conn, &all_but(0), &mut export::WriterArchive::new(&mut writer));
        assert!(matches!(failed, Err(Error::Output(_))), "{failed:?}");
        let left = stored_seqs(&mut conn)?;
        let first = left.first().copied().ok_or("nothing is left")?;
        assert_eq!(left, range(first, 3_000), "{room}");
        assert_eq!(first > 1, room == 150_000, "{room}");
        let (archived, _) = read(&writer.written);
        assert_eq!(seqs(&archived)[..first as usize - 1], range(1, first - 1));
    }
    Ok(())
}

#[test]
fn after_a_failed_write_the_archive_goes_on_in_a_line_of_its_own() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let mut writer = Failing { room: 300, written: Vec::new(), flushes: true };
    let mut archive = export::WriterArchive::new(Refilled(&mut writer));
    assert!(apply(&mut conn, &all_but(0), &mut archive).is_err());
    assert_eq!(apply(&mut conn, &all_but(0), &mut archive)?.deleted, 3);
    let (archived, unreadable) = read(&writer.written);
    assert_eq!((seqs(&archived), unreadable), (vec![1, 1, 2, 3], 1));
    Ok(())
}

/// Has room again after it failed once.
struct Refilled<'a>(&'a mut Failing);

impl Write for Refilled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).inspect_err(|_| self.0.room = usize::MAX)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_row_that_cannot_be_read_is_held_back_with_an_archive() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    conn.batch_execute("UPDATE activity_log SET metadata = '[1]' WHERE seq IN (3, 700)")?;
    let mut file = Vec::new();
    // It is due by both rules, and held back once.
    let policy = all_but(0).max_age(TimeDelta::zero());
    let report = apply(&mut conn, &policy, &mut export::WriterArchive::new(&mut file))?;
    assert_eq!((report.deleted, report.held_back), (998, 2));
    assert_eq!(report.rules.iter().map(|rule| rule.held_back).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(stored_seqs(&mut conn)?, [3, 700]);
    assert_eq!(read(&file).0.len(), 998);
    Ok(())
}

#[test]
fn a_file_archive_is_appended_to_by_each_run() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("archive.ndjson");
    for run in 0..3 {
        let mut conn = empty_log()?;
        ActivityLogRepository::new(&mut conn).record(&numbered(run))?;
        apply(&mut conn, &all_but(0), &mut export::FileArchive::open(&path)?)?;
    }
    let expected = (0..3).map(|run| read_back(numbered(run), 1)).collect::<Vec<_>>();
    assert_eq!(read(&fs::read(&path)?), (expected, 0));
    Ok(())
}

#[test]
fn a_file_archive_goes_on_in_a_line_of_its_own_after_a_torn_one() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("archive.ndjson");
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2)?;
    let mut archive = export::FileArchive::open(&path)?;
    apply(&mut conn, &all_but(1), &mut archive)?;
    // As a process does that is killed while it writes.
    OpenOptions::new().append(true).open(&path)?.write_all(b"{\"seq\":2,\"id\":\"al")?;
    apply(&mut conn, &all_but(0), &mut archive)?;
    let expected = vec![read_back(numbered(1), 1), read_back(numbered(2), 2)];
    assert_eq!(read(&fs::read(&path)?), (expected, 1));
    Ok(())
}

#[test]
fn a_file_archive_that_cannot_be_opened_is_an_output_error() -> TestResult {
    let folder = tempfile::tempdir()?;
    for path in [folder.path().to_owned(), folder.path().join("missing").join("archive.ndjson")] {
        assert!(matches!(export::FileArchive::open(path), Err(Error::Output(_))));
    }
    Ok(())
}
