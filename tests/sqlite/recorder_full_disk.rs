//! On a full disk, a recorder keeps what it has, and goes on once there is room.

use std::sync::mpsc::channel;

use activity_log::{
    ActivityLogRepository, NewActivityLogEntry, RESERVE_BYTES, Recorder, RecorderOptions, connect, keep_reserve,
    reclaim,
};
use diesel::SqliteConnection;

use crate::full_disk::SmallDisk;
use crate::support::{TestResult, everything, numbered};

/// More than the disk has room for.
const ENTRIES: i64 = 20_000;

fn entry(number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry { message: "x".repeat(300), ..numbered(number) }
}

/// Makes room with the reserve, and keeps a new one. The recorder writes nothing meanwhile.
fn make_room(conn: &mut SqliteConnection) -> activity_log::Result<()> {
    ActivityLogRepository::new(conn).prune(None, Some(100))?;
    reclaim(conn)?;
    keep_reserve(conn, RESERVE_BYTES)
}

#[test]
fn a_recorder_on_a_full_disk_loses_nothing_and_goes_on_after_a_prune() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    let path = disk.path().join("log.db").display().to_string();
    let mut for_pruning = connect(&path)?;
    let (made, making) = channel();
    let options = RecorderOptions::new()
        .queue_entries(ENTRIES as usize)
        .queue_bytes(usize::MAX)
        .on_failure(move |_| drop(made.send(make_room(&mut for_pruning))));
    let recorder = Recorder::start(move || connect(&path), options)?;
    let receipts = (0..ENTRIES).map(|number| recorder.record(entry(number))).collect::<Vec<_>>();
    let seqs = receipts.into_iter().map(|receipt| receipt.wait()).collect::<Result<Vec<_>, _>>()?;
    let made = making.try_iter().collect::<Result<Vec<_>, _>>()?;
    assert!(!made.is_empty(), "the disk was never full");
    assert!(seqs.is_sorted());
    let newest = ActivityLogRepository::new(&mut conn).query(&everything(), None, 100)?;
    let expected = (0..ENTRIES).rev().take(newest.len()).map(|number| entry(number).id);
    assert!(newest.iter().map(|entry| entry.id.clone()).eq(expected));
    Ok(())
}
