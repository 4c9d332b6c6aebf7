//! On a full disk, a recorder keeps what it has, and goes on once there is room.

use std::sync::mpsc::channel;
use std::time::Duration;

use activity_log::{
    ActivityLogRepository, NewActivityLogEntry, RESERVE_BYTES, Recorder, RecorderOptions, connect, keep_reserve,
};

use crate::full_disk::SmallDisk;
use crate::support::{TestResult, everything, numbered};

/// More than the disk has room for.
const ENTRIES: i64 = 20_000;

fn entry(number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry { message: "x".repeat(300), ..numbered(number) }
}

#[test]
fn a_recorder_on_a_full_disk_loses_nothing_and_goes_on_after_a_prune() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut conn = disk.log()?;
    keep_reserve(&mut conn, RESERVE_BYTES)?;
    let path = disk.path().join("log.db").display().to_string();
    let (failed, failures) = channel();
    let options = RecorderOptions::new().queue_entries(ENTRIES as usize).queue_bytes(usize::MAX);
    let options = options.on_failure(move |failure| drop(failed.send(failure.error.to_string())));
    let recorder = Recorder::start(move || connect(&path), options)?;
    let receipts = (0..ENTRIES).map(|number| recorder.record(entry(number))).collect::<Vec<_>>();

    let mut seqs = Vec::new();
    let mut is_full = false;
    for receipt in receipts {
        let mut receipt = Some(receipt);
        while let Some(waiting) = receipt.take() {
            match waiting.wait_at_most(Duration::from_millis(100)) {
                Ok(seq) => seqs.push(seq?),
                Err(waiting) => {
                    if failures.try_iter().any(|error| error.contains("full") || error.contains("I/O")) {
                        is_full = true;
                        // The reserve lets it work, and is written anew where there is room.
                        ActivityLogRepository::new(&mut conn).prune(None, Some(100))?;
                        keep_reserve(&mut conn, RESERVE_BYTES)?;
                    }
                    receipt = Some(waiting);
                }
            }
        }
    }
    assert!(is_full, "the disk was never full");
    assert!(seqs.is_sorted());
    assert_eq!(seqs.len() as i64, ENTRIES);
    let newest = ActivityLogRepository::new(&mut conn).query(&everything(), None, 100)?;
    let expected = (0..ENTRIES).rev().take(newest.len()).map(|number| entry(number).id);
    assert!(newest.iter().map(|entry| entry.id.clone()).eq(expected));
    Ok(())
}
