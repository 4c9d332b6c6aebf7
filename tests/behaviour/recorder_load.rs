//! Many handles, and a shutdown while all of them record.

use std::collections::BTreeSet;
use std::thread;

use activity_log::{QueuePolicy, Receipt, Recorder, RecorderError, RecorderOptions};

use crate::behaviour::recorder::{A_MINUTE, reason, start, stored, stored_ids};
use crate::support::{TestResult, numbered};

#[test]
fn ten_thousand_handles_in_a_thousand_threads_record_through_a_small_queue() -> TestResult {
    const THREADS: i64 = 1_000;
    const HANDLES: i64 = 10;
    let (log, recorder) =
        start(RecorderOptions::new().queue_entries(100).policy(QueuePolicy::Block { at_most: A_MINUTE }))?;
    let threads = (0..THREADS).map(|thread| {
        let handles = (0..HANDLES).map(|_| recorder.clone()).collect::<Vec<_>>();
        let record = move || {
            let receipts = (0..).zip(&handles).map(|(n, handle)| handle.record(numbered(thread * HANDLES + n)));
            receipts.collect::<Vec<_>>().into_iter().map(Receipt::wait).collect::<Result<Vec<_>, _>>()
        };
        thread::Builder::new().stack_size(256 << 10).spawn(record)
    });
    let threads = threads.collect::<Result<Vec<_>, _>>()?;
    let mut seqs = Vec::new();
    for thread in threads {
        seqs.extend(thread.join().map_err(|_| "a thread panicked")??);
    }
    seqs.sort_unstable();
    assert_eq!(stored(&log)?.iter().map(|entry| entry.seq).collect::<Vec<_>>(), seqs);
    assert_eq!(seqs.len() as i64, THREADS * HANDLES);
    Ok(())
}

/// Records until the recorder is shut down. Returns the ids of what was written and of what was not.
fn record_until_shut_down(recorder: &Recorder, thread: i64) -> TestResult<(Vec<String>, Vec<String>)> {
    let (mut written, mut unwritten) = (Vec::new(), Vec::new());
    for number in 0.. {
        let entry = numbered(thread * 1_000_000 + number);
        let id = entry.id.clone();
        let outcome = recorder.record(entry).wait();
        if outcome.is_ok() {
            written.push(id);
            continue;
        }
        assert_eq!(reason(outcome)?, RecorderError::ShutDown);
        unwritten.push(id);
        break;
    }
    Ok((written, unwritten))
}

#[test]
fn a_shutdown_under_load_answers_every_receipt_truthfully() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new().queue_entries(10))?;
    let threads = (0..32).map(|thread| {
        let recorder = recorder.clone();
        thread::spawn(move || record_until_shut_down(&recorder, thread))
    });
    let threads = threads.collect::<Vec<_>>();
    while recorder.health().recorded < 500 {
        thread::yield_now();
    }
    assert!(recorder.shutdown(A_MINUTE).is_empty());
    let (mut written, mut unwritten) = (BTreeSet::new(), BTreeSet::new());
    for thread in threads {
        let (more_written, more_unwritten) = thread.join().map_err(|_| "a thread panicked")??;
        written.extend(more_written);
        unwritten.extend(more_unwritten);
    }
    assert_eq!(stored_ids(&log)?.into_iter().collect::<BTreeSet<_>>(), written);
    assert_eq!(unwritten.len(), 32);
    Ok(())
}
