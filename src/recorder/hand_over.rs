//! The queue of a recorder, as its thread uses it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::error::Error;
use crate::recorder::guard::isolated;
use crate::recorder::health::RecorderFailure;
use crate::recorder::load::Load;
use crate::recorder::queued::{Origin, Queued};
use crate::recorder::room::release_and_wake;
use crate::recorder::shared::Shared;
use crate::recorder::state::{Phase, State};
use crate::recorder::sync::PoisonError;
use crate::store::group::Outcome;

impl Shared {
    /// Waits for something to write, and takes what has gathered, up to a bound. `None` once the thread is to end.
    pub(crate) fn next_batch(&self, bound: Load) -> Option<Vec<Arc<Queued>>> {
        let mut state = self.state();
        loop {
            let is_over = match state.phase {
                Phase::Open => false,
                Phase::Draining(deadline) => has_passed(deadline) || state.queue.is_empty(),
                Phase::Abandoned | Phase::Ended => true,
            };
            if is_over {
                return None;
            }
            if !state.queue.is_empty() {
                return Some(take_batch(&mut state, bound));
            }
            state.is_idle = true;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.is_idle = false;
        }
    }

    /// Notes what became of a part of the batch. The caller answers the receipts afterwards.
    pub(crate) fn settle<'a>(&self, outcomes: impl IntoIterator<Item = (&'a Arc<Queued>, &'a Outcome)>) {
        let mut state = self.state();
        state.failure = None;
        for (queued, outcome) in outcomes {
            queued.set_answered();
            state.load -= Load::of(queued);
            let entries = queued.entries.len() as u64;
            let counts = &mut state.counts;
            let count = if outcome.is_ok() { &mut counts.recorded } else { &mut counts.at_fault };
            *count = count.saturating_add(entries);
            if outcome.is_ok() && queued.origin == Origin::SwitchingOff(state.switches) {
                state.is_enabled = false;
                state.call_all();
            }
        }
        self.report_dropped(&mut state);
        state.call_next();
        release_and_wake(state);
    }

    /// Returns what was not answered to the head of the queue, unless it is to be withdrawn.
    pub(crate) fn finish(&self, batch: &[Arc<Queued>]) {
        let mut state = self.state();
        let in_flight = std::mem::take(&mut state.in_flight);
        let mut withdrawn = Vec::new();
        // Whoever has shut the recorder down in between has taken it.
        if !in_flight.is_empty() {
            for queued in batch.iter().rev().filter(|queued| !queued.is_answered()) {
                if queued.can_be_withdrawn() {
                    withdrawn.push(Arc::clone(queued));
                } else {
                    state.queue.push_front(Arc::clone(queued));
                }
            }
        }
        // The rest is dropped without the lock, because a receipt may run the host's executor.
        self.answer_withdrawn(state, withdrawn);
        self.progress.notify_all();
    }

    /// Notes that an attempt failed.
    pub(crate) fn fail(&self, error: Error) -> RecorderFailure {
        let mut state = self.state();
        let (since, attempts) =
            state.failure.as_ref().map_or_else(|| (Utc::now(), 0), |failure| (failure.since, failure.attempts));
        let failure = RecorderFailure { since, attempts: attempts.saturating_add(1), error: Arc::new(error) };
        state.failure = Some(failure.clone());
        failure
    }

    /// Waits before the next attempt. A shutdown ends the wait.
    pub(crate) fn pause(&self, pause: Duration) {
        let mut state = self.state();
        let (began, phase) = (Instant::now(), state.phase);
        loop {
            let left = pause.saturating_sub(began.elapsed());
            let deadline = if let Phase::Draining(deadline) = state.phase { deadline } else { None };
            if left.is_zero() || state.phase != phase || has_passed(deadline) {
                return;
            }
            let left = deadline.map_or(left, |deadline| left.min(deadline.saturating_duration_since(Instant::now())));
            state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends what the thread is for. Whatever is left will not be written.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.phase = Phase::Ended;
        state.call_all();
        let abandoned = state.abandon(&self.actor);
        let on_unwritten = state.on_unwritten.take().map(|told| (told, std::mem::take(&mut state.unwritten)));
        release_and_wake(state);
        abandoned.into_iter().for_each(|(queued, reason)| queued.slot.answer(Err(reason.into())));
        self.feeds.end();
        self.progress.notify_all();
        if let Some((on_unwritten, unwritten)) = on_unwritten.filter(|(_, unwritten)| !unwritten.is_empty()) {
            isolated(|| on_unwritten(unwritten));
        }
    }
}

pub(crate) fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

fn take_batch(state: &mut State, bound: Load) -> Vec<Arc<Queued>> {
    let mut batch = Vec::new();
    let mut load = Load::default();
    while let Some(next) = state.queue.front() {
        let more = Load::of(next);
        if !load.has_room_for(more, bound) {
            break;
        }
        load += more;
        batch.extend(state.queue.pop_front());
    }
    state.in_flight.clone_from(&batch);
    state.is_writing = false;
    batch
}
