//! A retention worker keeps to its schedule and its policy, survives errors and panics, and stops.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivitySeverity, Error, RetentionArchive, RetentionPolicy, RetentionReport,
    RetentionWorker, RetentionWorkerOptions,
};
use chrono::TimeDelta;

use crate::behaviour::prune::range;
use crate::database::{ActivityLogRepository, Connection, SharedLog, hold_up_writers, stored_seqs};
use crate::support::{TestResult, everything, record_numbered};

/// Longer than any test takes.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A log with numbered entries.
fn log_of(count: i64) -> TestResult<SharedLog> {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, count)?;
    Ok(file)
}

fn all_but(entries: u64) -> RetentionPolicy {
    RetentionPolicy::new().max_entries(entries)
}

/// Options of a worker that runs at once and then once a day, and what it reports.
fn at_once() -> (RetentionWorkerOptions, Receiver<RetentionReport>) {
    let (reported, reports) = channel();
    let options = RetentionWorkerOptions::new().first_run_after(Duration::ZERO).interval(A_DAY);
    (options.on_report(move |report| drop(reported.send(report.clone()))), reports)
}

fn next<T>(messages: &Receiver<T>) -> TestResult<T> {
    Ok(messages.recv_timeout(Duration::from_secs(60))?)
}

/// The entries about runs, oldest first.
fn entries_about_runs(conn: &mut Connection) -> TestResult<Vec<ActivityLogEntry>> {
    let entries = ActivityLogRepository::new(conn).query_after(&everything(), 0, u32::MAX)?;
    Ok(entries.into_iter().filter(|entry| entry.action == "activity_log.pruned").collect())
}

/// Says when it is asked to archive a batch, and waits until it is told to go on.
struct Gate {
    asked: Sender<()>,
    go_on: Receiver<()>,
}

impl Gate {
    fn new() -> (Self, Receiver<()>, Sender<()>) {
        let ((asked, asking), (going, go_on)) = (channel(), channel());
        (Self { asked, go_on }, asking, going)
    }
}

impl RetentionArchive for Gate {
    fn append(&mut self, _: &[ActivityLogEntry]) -> io::Result<()> {
        self.asked.send(()).map_err(io::Error::other)?;
        self.go_on.recv().map_err(io::Error::other)
    }
}

#[test]
fn a_worker_applies_its_policy_after_the_start_and_reports() -> TestResult {
    let file = log_of(100)?;
    let (options, reports) = at_once();
    let worker = RetentionWorker::start(file.connector(), all_but(10), options)?;
    let report = next(&reports)?;
    assert_eq!((report.deleted, report.stopped), (90, false));
    assert_eq!(worker.last_run().ok_or("no last run")?.report, report);
    worker.stop();
    assert_eq!(stored_seqs(&mut file.connect()?)?, range(91, 101));
    Ok(())
}

#[test]
fn a_worker_runs_when_it_is_asked_to_whatever_its_schedule() -> TestResult {
    let file = log_of(100)?;
    let (options, reports) = at_once();
    let worker = RetentionWorker::start(file.connector(), all_but(50), options.first_run_after(A_DAY))?;
    assert_eq!(worker.last_run(), None);
    worker.run_now();
    assert_eq!(next(&reports)?.deleted, 50);
    worker.run_now();
    // The entry about the first run is one too many.
    assert_eq!(next(&reports)?.deleted, 1);
    Ok(())
}

#[test]
fn a_worker_runs_again_after_its_interval() -> TestResult {
    let file = log_of(10)?;
    let (options, reports) = at_once();
    let _worker = RetentionWorker::start(file.connector(), RetentionPolicy::new(), options.interval(Duration::ZERO))?;
    for _ in 0..2 {
        assert_eq!(next(&reports)?, RetentionReport::default());
    }
    Ok(())
}

#[test]
fn a_new_policy_applies_from_the_next_run_on() -> TestResult {
    let file = log_of(100)?;
    let (options, reports) = at_once();
    let worker = RetentionWorker::start(file.connector(), RetentionPolicy::new(), options)?;
    assert_eq!(next(&reports)?.deleted, 0);
    worker.set_policy(all_but(10))?;
    worker.run_now();
    assert_eq!(next(&reports)?.deleted, 90);
    Ok(())
}

#[test]
fn a_run_under_way_ends_after_its_batch_and_begins_again_with_a_new_policy() -> TestResult {
    let file = log_of(5_000)?;
    let (options, reports) = at_once();
    let (gate, asked, going) = Gate::new();
    let worker = RetentionWorker::start(file.connector(), all_but(0), options.archive(gate))?;
    next(&asked)?;
    worker.set_policy(all_but(6_000))?;
    going.send(())?;
    let interrupted = next(&reports)?;
    assert!(interrupted.stopped);
    assert!((1..5_000).contains(&interrupted.deleted), "{interrupted:?}");
    let report = next(&reports)?;
    assert_eq!((report.deleted, report.stopped), (0, false));
    let left = stored_seqs(&mut file.connect()?)?;
    assert_eq!(left, range(interrupted.deleted as i64 + 1, 5_001));
    Ok(())
}

#[test]
fn a_run_that_deleted_something_is_recorded_once_with_its_counts() -> TestResult {
    let file = log_of(100)?;
    let (options, reports) = at_once();
    let policy = RetentionPolicy::new().category("auth", TimeDelta::zero()).max_entries(10).keep_at_least(5);
    let worker = RetentionWorker::start(file.connector(), policy, options.actor("keeper"))?;
    next(&reports)?;
    worker.set_policy(RetentionPolicy::new())?;
    worker.run_now();
    assert_eq!(next(&reports)?.deleted, 0);
    worker.stop();
    let entries = entries_about_runs(&mut file.connect()?)?;
    let [entry] = entries.as_slice() else { return Err(format!("{entries:?}").into()) };
    assert_eq!((&entry.category, entry.severity), (&ActivityCategory::System, ActivitySeverity::Info));
    assert_eq!((entry.actor.as_str(), entry.message.as_str()), ("keeper", "Retention deleted 90 entries"));
    let expected = serde_json::json!({
        "deleted": 90, "held_back": 0, "stopped": false, "rules": { "max_entries": { "deleted": 90, "held_back": 0 } },
    });
    assert_eq!(serde_json::Value::Object(entry.metadata.clone()), expected);
    Ok(())
}

#[test]
fn a_worker_stops_after_the_batch_under_way_and_records_what_it_did() -> TestResult {
    let file = log_of(5_000)?;
    let (options, reports) = at_once();
    let (gate, asked, going) = Gate::new();
    let worker = RetentionWorker::start(file.connector(), all_but(0), options.archive(gate))?;
    next(&asked)?;
    let stopping = std::thread::spawn(move || worker.stop());
    // The batch goes on only once the worker was told to stop.
    while !stopping.is_finished() {
        going.send(()).ok();
        std::thread::sleep(Duration::from_millis(1));
    }
    let report = next(&reports)?;
    let mut conn = file.connect()?;
    assert_eq!(entries_about_runs(&mut conn)?.len(), 1);
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 5_001 - report.deleted);
    Ok(())
}

#[test]
fn a_worker_stops_while_another_writer_holds_the_lock() -> TestResult {
    let file = log_of(100)?;
    let mut writer = file.connect()?;
    let (options, _reports) = at_once();
    let (gate, asked, going) = Gate::new();
    let worker = RetentionWorker::start(file.connector(), all_but(0), options.archive(gate))?;
    next(&asked)?;
    hold_up_writers(&mut writer)?;
    going.send(())?;
    worker.stop();
    drop(writer);
    assert_eq!(stored_seqs(&mut file.connect()?)?, range(1, 100));
    Ok(())
}

#[test]
fn a_worker_that_is_dropped_ends_its_thread() -> TestResult {
    let file = log_of(1)?;
    let (options, reports) = at_once();
    let worker = RetentionWorker::start(file.connector(), RetentionPolicy::new(), options.first_run_after(A_DAY))?;
    drop(worker);
    // The thread has dropped its callback.
    assert!(reports.recv().is_err());
    Ok(())
}

#[test]
fn a_callback_may_drop_the_worker() -> TestResult {
    let file = log_of(10)?;
    let worker = Arc::new(Mutex::new(None::<RetentionWorker>));
    let (dropped, dropping) = channel();
    let in_callback = Arc::clone(&worker);
    let options = RetentionWorkerOptions::new().first_run_after(A_DAY).on_report(move |_| {
        drop(in_callback.lock().map(|mut worker| worker.take()));
        dropped.send(()).ok();
    });
    let started = RetentionWorker::start(file.connector(), RetentionPolicy::new(), options)?;
    if let Ok(mut worker) = worker.lock() {
        worker.insert(started).run_now();
    }
    next(&dropping)?;
    assert!(dropping.recv().is_err(), "the thread goes on");
    Ok(())
}

#[test]
fn errors_reach_the_callback_and_the_run_is_repeated_with_a_fresh_connection() -> TestResult {
    let file = log_of(100)?;
    let (options, reports) = at_once();
    let (failed, failures) = channel();
    let mut connect = file.connector();
    let mut attempts = 0;
    let connect = move || {
        attempts += 1;
        match attempts {
            1 => Err(Error::Output(io::Error::other("not yet"))),
            _ => connect(),
        }
    };
    let options = options.on_error(move |error| drop(failed.send(error.to_string())));
    let _worker = RetentionWorker::start(connect, all_but(10), options)?;
    assert!(next(&failures)?.contains("not yet"));
    assert_eq!(next(&reports)?.deleted, 90);
    Ok(())
}

/// Archives one batch and then fails, or panics.
struct Once {
    archived: bool,
    panics: bool,
}

impl RetentionArchive for Once {
    fn append(&mut self, _: &[ActivityLogEntry]) -> io::Result<()> {
        match (std::mem::replace(&mut self.archived, true), self.panics) {
            (false, _) => Ok(()),
            (true, true) => std::panic::resume_unwind(Box::new("the archive panics")),
            (true, false) => Err(io::Error::other("the archive is full")),
        }
    }
}

#[test]
fn a_run_that_fails_after_it_deleted_something_is_recorded_as_a_warning() -> TestResult {
    let file = log_of(5_000)?;
    let (failed, failures) = channel();
    let options = RetentionWorkerOptions::new().first_run_after(Duration::ZERO).interval(A_DAY);
    let options = options.archive(Once { archived: false, panics: false });
    let options = options.on_error(move |error| drop(failed.send(error.to_string())));
    let worker = RetentionWorker::start(file.connector(), all_but(0), options)?;
    assert!(next(&failures)?.contains("the archive is full"));
    worker.stop();
    let mut conn = file.connect()?;
    let entries = entries_about_runs(&mut conn)?;
    let [entry] = entries.as_slice() else { return Err(format!("{entries:?}").into()) };
    assert_eq!(entry.severity, ActivitySeverity::Warning);
    let deleted = 5_001 - ActivityLogRepository::new(&mut conn).count(&everything())?;
    assert_eq!(entry.message, format!("Retention deleted {deleted} entries, and then failed"));
    Ok(())
}

#[test]
fn panics_of_the_host_end_neither_the_thread_nor_the_host() -> TestResult {
    let file = log_of(5_000)?;
    let (failed, failures) = channel();
    let (reported, reports) = channel();
    let options = RetentionWorkerOptions::new()
        .first_run_after(Duration::ZERO)
        .interval(A_DAY)
        .archive(Once { archived: false, panics: true })
        .on_report(move |report| {
            reported.send(report.deleted).ok();
            std::panic::resume_unwind(Box::new("the callback for reports panics"));
        })
        .on_error(move |error| {
            failed.send(matches!(error, Error::Worker(_))).ok();
            std::panic::resume_unwind(Box::new("the callback for errors panics"));
        });
    let worker = RetentionWorker::start(file.connector(), all_but(0), options)?;
    assert!(next(&failures)?, "the archive's");
    worker.set_policy(RetentionPolicy::new())?;
    worker.run_now();
    assert_eq!(next(&reports)?, 0);
    assert!(next(&failures)?, "the callback's");
    worker.run_now();
    assert_eq!(next(&reports)?, 0);
    worker.stop();
    // The run that panicked had deleted a batch.
    let entries = entries_about_runs(&mut file.connect()?)?;
    assert_eq!(entries.iter().map(|entry| entry.severity).collect::<Vec<_>>(), [ActivitySeverity::Warning]);
    Ok(())
}

#[test]
fn a_worker_refuses_a_policy_with_a_negative_age_and_keeps_the_old_one() -> TestResult {
    let file = log_of(10)?;
    let negative = || RetentionPolicy::new().max_age(TimeDelta::days(-1));
    let (options, reports) = at_once();
    let refused = RetentionWorker::start(file.connector(), negative(), RetentionWorkerOptions::new());
    assert!(matches!(refused, Err(Error::InvalidPolicy { rule: "max_age", .. })), "{refused:?}");
    let worker = RetentionWorker::start(file.connector(), all_but(4), options.first_run_after(A_DAY))?;
    assert!(matches!(worker.set_policy(negative()), Err(Error::InvalidPolicy { rule: "max_age", .. })));
    worker.run_now();
    assert_eq!(next(&reports)?.deleted, 6);
    Ok(())
}
