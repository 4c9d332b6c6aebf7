//! A process is killed while its threads record through a recorder. Every entry with a receipt is there, in order.

#![cfg(unix)] // As `Worker` is.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use activity_log::{NewActivityLogEntry, Receipt, Recorder, RecorderOptions};

use crate::behaviour::recorder::stored;
use crate::chance::{random, wait_up_to};
use crate::database::{SharedLog, connect, hold_up_writers};
use crate::support::{TestResult, numbered, parameters};
use crate::workers::{Worker, say};

const THREADS: i64 = 8;
/// More than a thread records before it is killed.
const ROUND: i64 = 1_000_000;

fn entry(round: i64, thread: i64, number: i64) -> NewActivityLogEntry {
    numbered(number).id(format!("{round} {thread} {number}"))
}

#[test]
fn every_entry_with_a_receipt_is_there_once_and_in_order_after_a_kill() -> TestResult {
    let log = SharedLog::create()?;
    // The `seq` of each entry with a receipt, by its id.
    let mut receipts = BTreeMap::<String, i64>::new();
    let mut without_receipt = 0;
    for round in 0..100 {
        // Where a commit takes long, most kills come before the first entry of a batch or after its last receipt.
        if round >= 12 && without_receipt > 0 {
            break;
        }
        let mut worker = Worker::start(a_process_records_from_many_threads, &log.url(), round)?;
        let mut said = (0..20 + random(200)).map(|_| worker.hear()).collect::<TestResult<Vec<_>>>()?;
        wait_up_to(Duration::from_millis(10));
        said.extend(worker.kill()?);
        for line in said {
            let (seq, id) = line.split_once(' ').ok_or("a message needs a number and an id")?;
            receipts.insert(id.to_owned(), seq.parse()?);
        }
        // Whatever the process had begun has ended.
        hold_up_writers(&mut connect(&log.url())?)?;

        let stored = stored(&log)?;
        let seqs = stored.iter().map(|entry| (entry.id.as_str(), entry.seq)).collect::<BTreeMap<_, _>>();
        for (id, seq) in &receipts {
            assert_eq!(seqs.get(id.as_str()), Some(seq), "round {round}: {id}");
        }
        without_receipt = stored.len() - receipts.len();
        for thread in 0..THREADS {
            let prefix = format!("{round} {thread} ");
            let of_thread = stored.iter().filter(|entry| entry.id.starts_with(&prefix)).map(|entry| entry.id.clone());
            let expected = (0..).map(|number| entry(round, thread, number).id);
            let of_thread = of_thread.collect::<Vec<_>>();
            assert_eq!(of_thread, expected.take(of_thread.len()).collect::<Vec<_>>(), "round {round}");
        }
    }
    assert!(without_receipt > 0, "no kill interrupted a recorder");
    Ok(())
}

#[test]
#[ignore = "the test above runs this test in its own process and passes the database"]
fn a_process_records_from_many_threads() -> TestResult {
    let (url, round) = parameters()?;
    let connect = move || connect(&url).map_err(activity_log::Error::Migration);
    let recorder = Recorder::start(connect, RecorderOptions::new())?;
    let threads = (0..THREADS).map(|thread| {
        let recorder = recorder.clone();
        thread::spawn(move || record_without_end(&recorder, round, thread))
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(())
}

/// Records with several receipts outstanding, and says which have come.
fn record_without_end(recorder: &Recorder, round: i64, thread: i64) -> TestResult {
    for first in (0..ROUND).step_by(5) {
        let entries = (first..first + 5).map(|number| entry(round, thread, number)).collect::<Vec<_>>();
        let ids = entries.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>();
        let seqs = if first % 2 == 0 {
            recorder.record_all(entries).wait()?
        } else {
            let receipts = entries.into_iter().map(|entry| recorder.record(entry)).collect::<Vec<_>>();
            receipts.into_iter().map(Receipt::wait).collect::<Result<_, _>>()?
        };
        for (id, seq) in ids.iter().zip(seqs) {
            say(format!("{seq} {id}"))?;
        }
    }
    Ok(())
}
