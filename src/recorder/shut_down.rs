//! The end of a recorder.

use std::time::{Duration, Instant};

use crate::recorder::hand_over::has_passed;
use crate::recorder::options::OnUnwritten;
use crate::recorder::own_thread;
use crate::recorder::room::release_and_wake;
use crate::recorder::shared::Shared;
use crate::recorder::state::Phase;
use crate::recorder::sync::PoisonError;
use crate::recorder::unwritten::Unwritten;

/// How long a shutdown waits for a transaction under way once its time is up, to learn what becomes of it.
const GRACE: Duration = Duration::from_secs(1);

impl Shared {
    /// Takes nothing more, waits until everything is written, and returns what is not by then.
    pub(crate) fn shut_down(&self, at_most: Duration) -> Unwritten {
        let deadline = Instant::now().checked_add(at_most);
        let mut state = self.state();
        if matches!(state.phase, Phase::Open | Phase::Draining(_)) {
            state.phase = Phase::Draining(deadline);
        }
        let (has_ended, is_given_up) = (state.phase == Phase::Ended, state.is_given_up());
        state.call_all();
        release_and_wake(state);
        self.work.notify_all();
        if !has_ended && own_thread::may_wait().is_err() {
            return Unwritten::default();
        }
        if !is_given_up && !self.has_ended_by(deadline) {
            let mut state = self.state();
            if state.phase != Phase::Ended {
                state.phase = Phase::Abandoned;
            }
            drop(state);
            self.work.notify_all();
            self.has_ended_by(Instant::now().checked_add(GRACE));
        }
        let mut state = self.state();
        let abandoned = state.abandon(&self.actor);
        let unwritten = std::mem::take(&mut state.unwritten);
        drop(state);
        abandoned.into_iter().for_each(|(queued, reason)| queued.slot.answer(Err(reason.into())));
        unwritten
    }

    /// Gives what will be left at the end to the host, unless the end is over.
    pub(crate) fn tell_at_end(&self, on_unwritten: OnUnwritten) -> Option<OnUnwritten> {
        let mut state = self.state();
        if state.phase == Phase::Ended {
            return Some(on_unwritten);
        }
        state.on_unwritten.replace(on_unwritten)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state().phase == Phase::Ended
    }

    /// Waits for the thread to end.
    fn has_ended_by(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state();
        while state.phase != Phase::Ended {
            if has_passed(deadline) {
                return false;
            }
            state = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                Some(left) => self.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.progress.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }
}
