//! A recorder goes on when its server has been killed and started again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, sleep};
use std::time::Duration;

use activity_log::{Recorder, RecorderOptions};
use diesel::Connection as _;
use diesel::prelude::*;

use crate::chance::wait_up_to;
use crate::cluster::Cluster;
use crate::database::{ActivityLogRepository, run_migrations};
use crate::support::{TestResult, everything, numbered};

const THREADS: i64 = 8;
/// More than a thread records.
const NUMBERS: i64 = 1_000_000;

/// Records in order until it is told to stop, and returns how many entries it has a receipt for: all of them.
fn record_until(
    recorder: &Recorder,
    thread: i64,
    stop: &AtomicBool,
    seqs: &Mutex<Vec<(i64, String)>>,
) -> TestResult<i64> {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let receipts = (number..number + 10).map(|number| {
            let entry = numbered(thread * NUMBERS + number);
            (entry.id.clone(), recorder.record(entry))
        });
        for (id, receipt) in receipts.collect::<Vec<_>>() {
            let seq = receipt.wait()?;
            seqs.lock().unwrap_or_else(PoisonError::into_inner).push((seq, id));
        }
        number += 10;
    }
    Ok(number)
}

#[test]
fn a_restart_of_the_server_loses_no_acknowledged_entry_and_doubles_none() -> TestResult {
    let Some(cluster) = Cluster::start(&["fsync = on"])? else { return Ok(()) };
    run_migrations(&mut cluster.connect()?)?;
    let url = cluster.url();
    let recorder = Recorder::start(move || PgConnection::establish(&url), RecorderOptions::new())?;
    let (stop, seqs) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let threads = (0..THREADS).map(|thread| {
        let (recorder, stop, seqs) = (recorder.clone(), Arc::clone(&stop), Arc::clone(&seqs));
        thread::spawn(move || record_until(&recorder, thread, &stop, &seqs))
    });
    let threads = threads.collect::<Vec<_>>();
    for _ in 0..4 {
        let before = recorder.health().recorded;
        while recorder.health().recorded < before + 100 {
            sleep(Duration::from_millis(1));
        }
        wait_up_to(Duration::from_millis(100));
        cluster.kill()?;
        cluster.start_again()?;
    }
    stop.store(true, Ordering::Relaxed);
    let mut expected = 0;
    for thread in threads {
        expected += thread.join().map_err(|_| "a thread panicked")??;
    }
    let mut receipts = std::mem::take(&mut *seqs.lock().unwrap_or_else(PoisonError::into_inner));
    receipts.sort_unstable();
    let stored = ActivityLogRepository::new(&mut cluster.connect()?).query_after(&everything(), 0, u32::MAX)?;
    assert_eq!(stored.len() as i64, expected);
    assert_eq!(stored.into_iter().map(|entry| (entry.seq, entry.id)).collect::<Vec<_>>(), receipts);
    Ok(())
}
