//! What a retention worker's thread and its owner tell each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::model::retention_policy::RetentionPolicy;
use crate::model::retention_report::RetentionReport;

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RetentionRun {
    /// When it ended, by the system's clock.
    pub finished_at: DateTime<Utc>,
    /// What it did.
    pub report: RetentionReport,
}

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Ends the run in progress.
    interrupt: AtomicBool,
}

#[derive(Debug)]
struct State {
    policy: RetentionPolicy,
    is_running: bool,
    /// Run at once, whatever the schedule says.
    run_now: bool,
    is_stopping: bool,
    last: Option<RetentionRun>,
}

impl Shared {
    pub(crate) fn new(policy: RetentionPolicy) -> Self {
        let state = State { policy, is_running: false, run_now: false, is_stopping: false, last: None };
        Self { state: Mutex::new(state), changed: Condvar::new(), interrupt: AtomicBool::new(false) }
    }

    /// No invariant spans a panic, so a poisoned state is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the next run is due or asked for. Returns its policy, or `None` if the worker is told to stop.
    /// Without `due`, only a call to [`run_now`](Self::run_now) makes a run due.
    pub(crate) fn next_run(&self, due: Option<Instant>) -> Option<RetentionPolicy> {
        let mut state = self.state();
        state.is_running = false;
        while !state.is_stopping && !state.run_now {
            let wait = due.map(|due| due.saturating_duration_since(Instant::now()));
            state = match wait {
                Some(wait) if wait.is_zero() => break,
                Some(wait) => self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        if state.is_stopping {
            return None;
        }
        state.run_now = false;
        state.is_running = true;
        self.interrupt.store(false, Ordering::Relaxed);
        Some(state.policy.clone())
    }

    pub(crate) fn finish(&self, report: RetentionReport) {
        self.state().last = Some(RetentionRun { finished_at: Utc::now(), report });
    }

    pub(crate) fn interrupt(&self) -> &AtomicBool {
        &self.interrupt
    }

    /// A run in progress begins again, because the old policy may delete what the new one keeps.
    pub(crate) fn set_policy(&self, policy: RetentionPolicy) {
        let mut state = self.state();
        state.policy = policy;
        if state.is_running {
            state.run_now = true;
            self.interrupt.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn run_now(&self) {
        self.state().run_now = true;
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.state().is_stopping = true;
        self.interrupt.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    pub(crate) fn last_run(&self) -> Option<RetentionRun> {
        self.state().last.clone()
    }
}
