//! Where the answer to a receipt is put.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::recorder::guard::isolated;
use crate::recorder::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct Slot {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug)]
enum State {
    Open(Option<Waker>),
    Answered(Result<Vec<i64>>),
    Taken,
}

impl Slot {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::Open(None)), answered: Condvar::new() }
    }

    /// No invariant spans a panic, so a poisoned state is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers, unless it has been answered before. The caller holds no lock: this may run the host's executor.
    pub(crate) fn answer(&self, answer: Result<Vec<i64>>) {
        let mut state = self.state();
        let waker = match &mut *state {
            State::Open(waker) => waker.take(),
            State::Answered(_) | State::Taken => return,
        };
        *state = State::Answered(answer);
        drop(state);
        self.answered.notify_all();
        if let Some(waker) = waker {
            isolated(|| waker.wake());
        }
    }

    /// Takes the answer if there is one.
    pub(crate) fn take(&self) -> Option<Result<Vec<i64>>> {
        take(&mut self.state())
    }

    /// Waits for the answer and takes it. `None` once the deadline has passed.
    pub(crate) fn wait_until(&self, deadline: Option<Instant>) -> Option<Result<Vec<i64>>> {
        let mut state = self.state();
        loop {
            if let Some(answer) = take(&mut state) {
                return Some(answer);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return None,
                Some(left) => self.answered.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.answered.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Result<Vec<i64>>> {
        let mut state = self.state();
        if let Some(answer) = take(&mut state) {
            return Poll::Ready(answer);
        }
        let former = match &mut *state {
            State::Open(Some(waker)) if waker.will_wake(context.waker()) => None,
            State::Open(waker) => waker.replace(context.waker().clone()),
            State::Answered(_) | State::Taken => None,
        };
        drop(state);
        drop(former);
        Poll::Pending
    }
}

fn take(state: &mut State) -> Option<Result<Vec<i64>>> {
    match std::mem::replace(state, State::Taken) {
        State::Answered(answer) => Some(answer),
        other => {
            *state = other;
            None
        }
    }
}
