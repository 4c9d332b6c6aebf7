//! The runs of a retention worker, in its thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::entry::NewActivityLogEntry;
use crate::model::limits::EntryLimits;
use crate::model::retention_policy::RetentionPolicy;
use crate::model::retention_report::RetentionReport;
use crate::model::severity::ActivitySeverity;
use crate::repository::Repository;
use crate::repository::retention_hooks::RetentionHooks;
use crate::repository::retention_worker::options::RetentionWorkerOptions;
use crate::repository::retention_worker::shared::Shared;
use crate::store::Backend;
use crate::store::blocking::run;

/// The action of the entry about a run.
const ACTION: &str = "activity_log.pruned";
/// How long the worker's connection waits for a lock before the worker checks whether it should stop.
const LONGEST_WAIT: Duration = Duration::from_millis(200);
/// How long the worker tries to record the entry about a run while other writers keep the database busy.
const RECORD_PATIENCE: Duration = Duration::from_secs(60);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(300);

pub(crate) struct Runner<F> {
    connect: F,
    options: RetentionWorkerOptions,
    /// Entries about runs that could not be recorded yet.
    unrecorded: Vec<NewActivityLogEntry>,
}

impl<C: Backend, F: FnMut() -> Result<C>> Runner<F> {
    pub(crate) fn new(connect: F, options: RetentionWorkerOptions) -> Self {
        Self { connect, options, unrecorded: Vec::new() }
    }

    /// Runs whenever a run is due, until the worker is told to stop.
    pub(crate) fn work(mut self, shared: &Shared) {
        let mut due = Instant::now().checked_add(self.options.first_run_after);
        let mut retry = FIRST_RETRY;
        while let Some(policy) = shared.next_run(due) {
            let pause = match guarded(|| self.run(&policy, shared)) {
                Ok(()) => {
                    retry = FIRST_RETRY;
                    self.options.interval
                }
                Err(error) => {
                    self.tell(&error);
                    let pause = retry.min(self.options.interval);
                    retry = retry.saturating_mul(2).min(LAST_RETRY);
                    pause
                }
            };
            due = Instant::now().checked_add(pause);
        }
    }

    fn run(&mut self, policy: &RetentionPolicy, shared: &Shared) -> Result<()> {
        let stop = shared.interrupt();
        let mut conn = (self.connect)()?;
        run(conn.limit_waiting(LONGEST_WAIT))?;

        let mut so_far = RetentionReport::default();
        let mut progress = |report: &RetentionReport| so_far.clone_from(report);
        let mut hooks = RetentionHooks::new().progress(&mut progress);
        if let Some(archive) = &mut self.options.archive {
            hooks = hooks.archive(archive.as_mut());
        }
        let outcome = guarded(|| Repository::new(&mut conn).apply_retention_with(policy, Utc::now(), stop, hooks));
        // What a failed run deleted is gone as well.
        let report = outcome.as_ref().unwrap_or(&so_far);
        if report.deleted > 0 {
            self.unrecorded.push(about(report, outcome.is_err(), &self.options.actor));
        }
        let recorded = self.record(&mut conn, stop);
        let report = outcome?;
        let has_deleted = report.deleted > 0;
        shared.finish(report.clone());
        guarded(|| {
            (self.options.on_report)(&report);
            Ok(())
        })?;
        recorded?;
        if stop.load(Ordering::Relaxed) || !(has_deleted || self.options.reserve_bytes.is_some()) {
            return Ok(());
        }
        match run(conn.tidy_up(self.options.reserve_bytes, stop)) {
            Err(Error::Busy(_)) if stop.load(Ordering::Relaxed) => Ok(()),
            outcome => outcome,
        }
    }

    fn record(&mut self, conn: &mut C, stop: &AtomicBool) -> Result<()> {
        // The entry is the crate's own and may name any number of rules.
        let limits = EntryLimits { metadata: usize::MAX, ..EntryLimits::default() };
        let started = Instant::now();
        while !self.unrecorded.is_empty() {
            match Repository::new(conn).with_limits(limits).record_all(&self.unrecorded) {
                Err(Error::Busy(_)) if !stop.load(Ordering::Relaxed) && started.elapsed() < RECORD_PATIENCE => {}
                outcome => {
                    outcome?;
                    self.unrecorded.clear();
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, error: &Error) {
        let told = guarded(|| {
            (self.options.on_error)(error);
            Ok(())
        });
        // There is nobody left to tell about a panic in this callback.
        drop(told);
    }
}

/// Turns a panic in one of the host's functions into an error, so that the panic ends neither the thread nor the host.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Worker(io::Error::other("a function that the host gave it panicked"))))
}

/// The entry about a run.
fn about(report: &RetentionReport, has_failed: bool, actor: &str) -> NewActivityLogEntry {
    let active = report.rules.iter().filter(|rule| rule.deleted > 0 || rule.held_back > 0);
    let rules = active.map(|rule| {
        let counts = [("deleted", rule.deleted), ("held_back", rule.held_back)];
        let counts = counts.into_iter().map(|(name, count)| (name.to_owned(), Value::from(count)));
        (rule.rule.to_string(), Value::Object(counts.collect()))
    });
    let message = match report.deleted {
        1 => "Retention deleted 1 entry".to_owned(),
        deleted => format!("Retention deleted {deleted} entries"),
    };
    let (message, severity) = if has_failed {
        (format!("{message}, and then failed"), ActivitySeverity::Warning)
    } else {
        (message, ActivitySeverity::Info)
    };
    NewActivityLogEntry::new(ActivityCategory::System, ACTION, actor, message)
        .severity(severity)
        .metadata_value("deleted", report.deleted)
        .metadata_value("held_back", report.held_back)
        .metadata_value("stopped", report.stopped)
        .metadata_value("rules", rules.collect::<Map<_, _>>())
}
