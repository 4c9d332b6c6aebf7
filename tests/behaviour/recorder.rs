//! A recorder records in order from anywhere, says what became of each entry, and writes everything before it ends.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use activity_log::{
    ActivityLogEntry, EntryLimits, Error, NewActivityLogEntry, REDACTED, Receipt, Recorder, RecorderError,
    RecorderOptions, Redactor, Unwritten,
};

use crate::database::{ActivityLogRepository, SharedLog};
use crate::support::{TestResult, everything, numbered, read_back};

/// Longer than any test takes.
pub(crate) const A_MINUTE: Duration = Duration::from_secs(60);

/// A recorder on an empty log.
pub(crate) fn start(options: RecorderOptions) -> TestResult<(SharedLog, Recorder)> {
    let log = SharedLog::create()?;
    let recorder = Recorder::start(log.connector(), options)?;
    Ok((log, recorder))
}

/// A recorder on an empty log, whose database is away until the sender is used or dropped. Its thread has taken an entry,
/// so what is recorded next gathers.
pub(crate) fn start_away(options: RecorderOptions) -> TestResult<(SharedLog, Recorder, Sender<()>)> {
    let (log, recorder, come, _) = start_away_with(options)?;
    Ok((log, recorder, come))
}

/// The same, with the receipt of the entry that the thread has taken.
pub(crate) fn start_away_with(options: RecorderOptions) -> TestResult<(SharedLog, Recorder, Sender<()>, Receipt)> {
    let log = SharedLog::create()?;
    let (come, coming) = channel();
    let (ask, asked) = channel();
    let mut connect = log.connector();
    let connect = move || {
        ask.send(()).ok();
        coming.recv().ok();
        connect()
    };
    let recorder = Recorder::start(connect, options)?;
    let receipt = recorder.record(numbered(0));
    asked.recv_timeout(A_MINUTE)?;
    Ok((log, recorder, come, receipt))
}

/// All entries of the log, oldest first.
pub(crate) fn stored(log: &SharedLog) -> TestResult<Vec<ActivityLogEntry>> {
    Ok(ActivityLogRepository::new(&mut log.connect()?).query_after(&everything(), 0, u32::MAX)?)
}

/// The ids of all entries of the log, oldest first.
pub(crate) fn stored_ids(log: &SharedLog) -> TestResult<Vec<String>> {
    Ok(stored(log)?.into_iter().map(|entry| entry.id).collect())
}

pub(crate) fn ids(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers.into_iter().map(|number| numbered(number).id).collect()
}

/// Why a recorder did not record.
pub(crate) fn reason<T>(outcome: Result<T, Error>) -> TestResult<RecorderError> {
    match outcome {
        Err(Error::Recorder(reason)) => Ok(reason),
        Err(other) => Err(other.into()),
        Ok(_) => Err("it was recorded".into()),
    }
}

/// Polls a future to its end, as the simplest executor does.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_receipt_gives_the_seq_of_an_entry_that_is_committed() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    for number in 1..=3 {
        let seq = recorder.record(numbered(number)).wait()?;
        assert_eq!(stored(&log)?.last(), Some(&read_back(numbered(number), seq)));
    }
    Ok(())
}

#[test]
fn entries_are_recorded_in_the_order_in_which_they_were_queued() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let receipts = (1..3_000).map(|number| recorder.record(numbered(number))).collect::<Vec<_>>();
    drop(database);
    let mut seqs = receipts.into_iter().map(|receipt| receipt.wait()).collect::<Result<Vec<_>, _>>()?;
    let stored = stored(&log)?;
    assert_eq!(stored.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>(), ids(0..3_000));
    seqs.extend(stored.first().map(|entry| entry.seq));
    seqs.sort_unstable();
    assert_eq!(stored.iter().map(|entry| entry.seq).collect::<Vec<_>>(), seqs);
    Ok(())
}

#[test]
fn an_entry_whose_receipt_is_dropped_is_recorded_too() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    drop(recorder.record(numbered(1)));
    recorder.flush().wait()?;
    assert_eq!(stored_ids(&log)?, ids([1]));
    Ok(())
}

#[test]
fn a_receipt_is_a_future_that_needs_no_runtime() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let receipt = recorder.record(numbered(1));
    let waiting = thread::spawn(|| block_on(receipt));
    drop(database);
    let seq = waiting.join().map_err(|_| "the thread panicked")??;
    assert_eq!(stored(&log)?.last().map(|entry| entry.seq), Some(seq));
    Ok(())
}

#[test]
fn a_wait_that_is_over_gives_the_receipt_back() -> TestResult {
    let (_log, recorder, database) = start_away(RecorderOptions::new())?;
    let receipt = recorder.record(numbered(1));
    let Err(receipt) = receipt.wait_at_most(Duration::from_millis(1)) else { return Err("it is answered".into()) };
    drop(database);
    assert!(receipt.wait_at_most(A_MINUTE).is_ok_and(|answer| answer.is_ok()));
    Ok(())
}

#[test]
fn record_all_gives_the_seq_of_each_entry() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    let seqs = recorder.record_all((1..=5).map(numbered).collect()).wait()?;
    let expected = (1..=5).zip(seqs).map(|(number, seq)| read_back(numbered(number), seq)).collect::<Vec<_>>();
    assert_eq!(stored(&log)?, expected);
    assert_eq!(recorder.record_all(vec![]).wait()?, [0_i64; 0]);
    Ok(())
}

#[test]
fn what_has_gathered_is_recorded_in_the_order_of_queuing_whether_single_or_together() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    recorder.record(numbered(1));
    recorder.record_all((2..=4).map(numbered).collect());
    recorder.record(numbered(5));
    recorder.record_all(vec![numbered(6)]);
    let last = recorder.record_all((7..=8).map(numbered).collect());
    drop(database);
    last.wait()?;
    assert_eq!(stored_ids(&log)?, ids(0..=8));
    Ok(())
}

#[test]
fn threads_share_a_recorder_and_nothing_of_theirs_is_lost_or_out_of_order() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new().batch_entries(7))?;
    let threads = (0..16).map(|thread| {
        let recorder = recorder.clone();
        thread::spawn(move || {
            let receipts = (0..100).map(|n| recorder.record(numbered(thread * 100 + n))).collect::<Vec<_>>();
            receipts.into_iter().map(|receipt| receipt.wait()).collect::<Result<Vec<_>, _>>()
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        assert!(thread.join().map_err(|_| "a thread panicked")??.is_sorted());
    }
    let mut stored = stored_ids(&log)?;
    stored.sort_unstable();
    let mut expected = ids(0..1_600);
    expected.sort_unstable();
    assert_eq!(stored, expected);
    Ok(())
}

#[test]
fn a_flush_is_answered_once_everything_before_it_is() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    recorder.record(numbered(1));
    let flush = recorder.flush();
    let Err(flush) = flush.wait_at_most(Duration::from_millis(1)) else { return Err("nothing is written".into()) };
    drop(database);
    flush.wait()?;
    assert_eq!(stored_ids(&log)?, ids([0, 1]));
    Ok(())
}

#[test]
fn a_shutdown_writes_what_is_queued_and_takes_no_more() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let receipts = (1..=100).map(|number| recorder.record(numbered(number))).collect::<Vec<_>>();
    drop(database);
    assert_eq!(recorder.shutdown(A_MINUTE), Unwritten::default());
    assert_eq!(stored_ids(&log)?, ids(0..=100));
    for receipt in receipts {
        receipt.wait()?;
    }
    let refused = recorder.try_record(numbered(101)).err().ok_or("it was taken")?;
    assert_eq!(refused.reason(), RecorderError::ShutDown);
    assert_eq!(refused.into_inner(), numbered(101));
    assert_eq!(reason(recorder.record(numbered(101)).wait())?, RecorderError::ShutDown);
    assert_eq!(reason(recorder.flush().wait())?, RecorderError::ShutDown);
    assert!(!recorder.health().is_running);
    Ok(())
}

#[test]
fn a_shutdown_gives_back_what_could_not_be_written_and_answers_its_receipts() -> TestResult {
    let log = SharedLog::create()?;
    let away = || Err::<crate::database::Connection, _>(Error::Output(std::io::Error::other("away")));
    let recorder = Recorder::start(away, RecorderOptions::new())?;
    let mut receipts = (1..=3).map(|number| recorder.record(numbered(number))).collect::<Vec<_>>();
    let all = recorder.record_all(vec![numbered(4), numbered(5)]);
    let unwritten = recorder.shutdown(Duration::from_millis(50));
    assert_eq!(unwritten.entries, (1..=5).map(numbered).collect::<Vec<_>>());
    assert_eq!(unwritten.unclear, []);
    assert_eq!(reason(all.wait())?, RecorderError::ShutDown);
    for receipt in receipts.drain(..) {
        assert_eq!(reason(receipt.wait())?, RecorderError::ShutDown);
    }
    assert!(recorder.shutdown(A_MINUTE).is_empty(), "they are given back once");
    assert_eq!(stored_ids(&log)?, ids([]));
    Ok(())
}

#[test]
fn a_shutdown_ends_although_the_database_never_answers() -> TestResult {
    let (_log, recorder, database) = start_away(RecorderOptions::new())?;
    let under_way = recorder.record(numbered(1));
    let unwritten = recorder.shutdown(Duration::from_millis(10));
    // The first entry had been taken by the thread.
    assert_eq!((unwritten.unclear, unwritten.entries), (vec![numbered(0)], vec![numbered(1)]));
    assert_eq!(reason(under_way.wait())?, RecorderError::ShutDown);
    drop(database);
    Ok(())
}

#[test]
fn dropping_the_last_handle_writes_what_is_queued() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let other = recorder.clone();
    let receipt = recorder.record(numbered(1));
    drop(recorder);
    other.record(numbered(2));
    drop(database);
    drop(other);
    assert_eq!(stored_ids(&log)?, ids(0..=2));
    receipt.wait()?;
    Ok(())
}

#[test]
fn dropping_the_last_handle_gives_what_could_not_be_written_to_the_host() -> TestResult {
    let (given, left) = channel();
    let away = || Err::<crate::database::Connection, _>(Error::Output(std::io::Error::other("away")));
    let options = RecorderOptions::new().drop_limit(Duration::from_millis(10));
    let recorder = Recorder::start(away, options.on_unwritten(move |unwritten| drop(given.send(unwritten))))?;
    let receipt = recorder.record(numbered(1));
    drop(recorder);
    assert_eq!(left.recv_timeout(A_MINUTE)?.entries, [numbered(1)]);
    assert_eq!(reason(receipt.wait())?, RecorderError::ShutDown);
    Ok(())
}

#[test]
fn limits_and_the_redactor_apply_to_what_is_recorded() -> TestResult {
    let limits = EntryLimits { message: 20, ..EntryLimits::default() };
    let (log, recorder) = start(RecorderOptions::new().limits(limits).redactor(Redactor::new(["token"])))?;
    let entry = NewActivityLogEntry::new("auth", "a", "b", "Short").metadata_value("token", "hunter2");
    recorder.record(entry).wait()?;
    let long = recorder.record(NewActivityLogEntry::new("auth", "a", "b", "x".repeat(21))).wait();
    assert!(matches!(long, Err(Error::InvalidEntry { field: "message", .. })), "{long:?}");
    let stored = stored(&log)?;
    let [entry] = stored.as_slice() else { return Err(format!("{stored:?}").into()) };
    assert_eq!(entry.metadata.get("token"), Some(&REDACTED.into()));
    Ok(())
}
