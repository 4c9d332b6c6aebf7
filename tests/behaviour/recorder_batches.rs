//! What has gathered is one transaction, within bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use activity_log::{NewActivityLogEntry, Recorder, RecorderOptions};
use diesel::Connection as _;
use diesel::connection::InstrumentationEvent;

use crate::behaviour::recorder::{A_MINUTE, ids, stored_ids};
use crate::database::SharedLog;
use crate::support::{TestResult, numbered};

/// A recorder that has taken one entry and waits for the database, what lets it go on, and its commits from then on.
struct Away {
    log: SharedLog,
    recorder: Recorder,
    database: Sender<()>,
    commits: Arc<AtomicUsize>,
}

impl Away {
    fn start(options: RecorderOptions) -> TestResult<Self> {
        let log = SharedLog::create()?;
        let commits = Arc::new(AtomicUsize::new(0));
        let (counted, mut connect) = (Arc::clone(&commits), log.connector());
        let ((ask, asked), (database, coming)): (_, (_, Receiver<()>)) = (channel(), channel());
        let connect = move || {
            ask.send(()).ok();
            coming.recv().ok();
            let mut conn = connect()?;
            let counted = Arc::clone(&counted);
            conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::StartQuery { query, .. } = event
                    && query.to_string().starts_with("COMMIT")
                {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
            Ok::<_, activity_log::Error>(conn)
        };
        let recorder = Recorder::start(connect, options)?;
        recorder.record(numbered(0));
        asked.recv_timeout(A_MINUTE)?;
        Ok(Self { log, recorder, database, commits })
    }

    /// Lets the database come, waits for everything, and returns how many transactions there were after the first.
    fn commits(self, last: i64) -> TestResult<usize> {
        drop(self.database);
        self.recorder.flush().wait()?;
        assert_eq!(stored_ids(&self.log)?, ids(0..=last));
        Ok(self.commits.load(Ordering::Relaxed) - 1)
    }
}

#[test]
fn what_has_gathered_is_committed_together() -> TestResult {
    let away = Away::start(RecorderOptions::new().batch_time(A_MINUTE))?;
    for number in 1..=50 {
        away.recorder.record(numbered(number));
    }
    away.recorder.record_all((51..=60).map(numbered).collect());
    assert_eq!(away.commits(60)?, 1);
    Ok(())
}

#[test]
fn a_transaction_is_bounded_in_entries() -> TestResult {
    let away = Away::start(RecorderOptions::new().batch_time(A_MINUTE).batch_entries(20))?;
    for number in 1..=50 {
        away.recorder.record(numbered(number));
    }
    // What is recorded together is never divided.
    away.recorder.record_all((51..=100).map(numbered).collect());
    assert_eq!(away.commits(100)?, 4);
    Ok(())
}

#[test]
fn a_transaction_is_bounded_in_bytes() -> TestResult {
    let away = Away::start(RecorderOptions::new().batch_time(A_MINUTE).batch_bytes(10_000))?;
    for number in 1..=5 {
        away.recorder.record(NewActivityLogEntry { message: "x".repeat(6_000), ..numbered(number) });
    }
    assert_eq!(away.commits(5)?, 5);
    Ok(())
}

#[test]
fn a_transaction_is_bounded_in_time() -> TestResult {
    let away = Away::start(RecorderOptions::new().batch_time(Duration::ZERO))?;
    for number in 1..=1_000 {
        away.recorder.record(numbered(number));
    }
    let commits = away.commits(1_000)?;
    assert!(commits > 2, "{commits}");
    Ok(())
}

#[test]
fn one_bad_entry_in_each_of_many_batches_costs_no_transaction() -> TestResult {
    let away = Away::start(RecorderOptions::new().batch_time(A_MINUTE).batch_entries(100))?;
    for number in 1..=1_000 {
        if number % 100 == 50 {
            // It is taken.
            drop(away.recorder.record(numbered(0)));
        }
        away.recorder.record(numbered(number));
    }
    assert_eq!(away.commits(1_000)?, 11);
    Ok(())
}
