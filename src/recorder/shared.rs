//! The queue of a recorder, as its callers use it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::recorder::RecorderError;
use crate::model::entry::NewActivityLogEntry;
use crate::model::size::bytes_of;
use crate::recorder::feed::Feeds;
use crate::recorder::health::RecorderHealth;
use crate::recorder::load::Load;
use crate::recorder::own_entries::{Dropped, switched};
use crate::recorder::own_thread;
use crate::recorder::policy::QueuePolicy;
use crate::recorder::queued::{Origin, Queued};
use crate::recorder::slot::Slot;
use crate::recorder::state::{Phase, State};
use crate::recorder::sync::{Condvar, Mutex, MutexGuard, PoisonError};

pub(crate) struct Shared {
    state: Mutex<State>,
    /// The thread waits here for work.
    pub(crate) work: Condvar,
    /// Who shuts the recorder down waits here for the thread.
    pub(crate) progress: Condvar,
    pub(crate) feeds: Feeds,
    pub(crate) actor: String,
    bound: Load,
    policy: QueuePolicy,
}

impl Shared {
    pub(crate) fn new(bound: Load, policy: QueuePolicy, actor: String, is_enabled: bool) -> Self {
        Self {
            state: Mutex::new(State::new(is_enabled)),
            work: Condvar::new(),
            progress: Condvar::new(),
            feeds: Feeds::default(),
            actor,
            bound,
            policy,
        }
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn policy(&self) -> QueuePolicy {
        self.policy
    }

    /// No invariant spans a panic, so a poisoned state is as good as any.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gets a place for this much of the host's, as the policy says.
    pub(crate) fn admit(&self, load: Load) -> Result<Place<'_>, RecorderError> {
        let state = self.state();
        let (mut state, admitted) = match state.closed() {
            Err(reason) => (state, Err(reason)),
            Ok(()) if self.has_room(&state, load) => (state, Ok(())),
            Ok(()) => self.without_room(state, load),
        };
        if let Err(reason) = admitted {
            let counts = &mut state.counts;
            let count = if reason == RecorderError::Dropped { &mut counts.dropped } else { &mut counts.refused };
            *count = count.saturating_add(load.entries as u64);
            return Err(reason);
        }
        Ok(Place::new(self, state, load))
    }

    /// Whether there is room, and nobody else waits for it.
    pub(crate) fn has_room(&self, state: &State, load: Load) -> bool {
        state.turns.is_empty() && state.load.has_room_for(load, self.bound)
    }

    fn add(&self, state: &mut State, queued: Queued) -> Arc<Slot> {
        let slot = state.add(queued);
        if std::mem::take(&mut state.is_idle) {
            self.work.notify_one();
        }
        slot
    }

    fn without_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        load: Load,
    ) -> (MutexGuard<'a, State>, Result<(), RecorderError>) {
        match self.policy {
            QueuePolicy::Block { at_most } => self.wait_for_room(state, load, at_most),
            QueuePolicy::Refuse => (state, Err(RecorderError::QueueFull)),
            QueuePolicy::DropNewest => {
                state.dropped = Some(Dropped::more(state.dropped, load.entries as u64));
                (state, Err(RecorderError::Dropped))
            }
        }
    }

    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        load: Load,
        at_most: Duration,
    ) -> (MutexGuard<'a, State>, Result<(), RecorderError>) {
        if let Err(reason) = own_thread::may_wait() {
            return (state, Err(reason));
        }
        let began = Instant::now();
        let turn = Arc::new(Condvar::new());
        state.turns.push_back(Arc::clone(&turn));
        let taken = loop {
            if let Err(reason) = state.closed() {
                break Err(reason);
            }
            let is_first = state.turns.front().is_some_and(|first| Arc::ptr_eq(first, &turn));
            if is_first && state.load.has_room_for(load, self.bound) {
                break Ok(());
            }
            let waited = began.elapsed();
            if waited >= at_most {
                break Err(RecorderError::StillFull { waited });
            }
            state = turn.wait_timeout(state, at_most.saturating_sub(waited)).unwrap_or_else(PoisonError::into_inner).0;
        };
        if state.turns.front().is_some_and(|first| Arc::ptr_eq(first, &turn)) {
            state.turns.pop_front();
        } else {
            state.turns.retain(|other| !Arc::ptr_eq(other, &turn));
        }
        state.call_next();
        (state, taken)
    }

    /// Queues an entry that says how many were dropped. There is room again.
    pub(crate) fn report_dropped(&self, state: &mut State) {
        if let Some(dropped) = state.dropped.take() {
            let about = dropped.entry(&self.actor);
            let bytes = bytes_of(&about);
            self.add(state, Queued::new(vec![about], bytes, Origin::Recorder));
        }
    }

    /// Queues what is answered once everything before is.
    pub(crate) fn flush(&self) -> Result<Arc<Slot>, RecorderError> {
        self.push_own(&mut self.state(), Vec::new(), Origin::Recorder)
    }

    /// Records that the recorder is switched on or off. It is on from now on, or off once that is committed.
    pub(crate) fn switch(&self, on: bool, actor: &str) -> Result<Arc<Slot>, RecorderError> {
        let mut state = self.state();
        // The entry is made under the lock, so that its time is that of its place in the log.
        let entry = vec![switched(on, actor)];
        let number = state.switches.wrapping_add(1);
        let origin = if on { Origin::Recorder } else { Origin::SwitchingOff(number) };
        let slot = self.push_own(&mut state, entry, origin)?;
        state.switches = number;
        state.is_enabled |= on;
        Ok(slot)
    }

    fn push_own(
        &self,
        state: &mut State,
        entries: Vec<NewActivityLogEntry>,
        origin: Origin,
    ) -> Result<Arc<Slot>, RecorderError> {
        if state.phase != Phase::Open {
            return Err(RecorderError::ShutDown);
        }
        let bytes = entries.iter().map(bytes_of).sum();
        Ok(self.add(state, Queued::new(entries, bytes, origin)))
    }

    pub(crate) fn health(&self) -> RecorderHealth {
        self.state().health()
    }
}

/// A place in the queue, which nobody else can take.
pub(crate) struct Place<'a> {
    shared: &'a Shared,
    state: MutexGuard<'a, State>,
    load: Load,
}

impl<'a> Place<'a> {
    pub(crate) fn new(shared: &'a Shared, state: MutexGuard<'a, State>, load: Load) -> Self {
        Self { shared, state, load }
    }

    /// Queues entries that are written together or not at all.
    pub(crate) fn take(mut self, entries: Vec<NewActivityLogEntry>) -> Arc<Slot> {
        self.shared.add(&mut self.state, Queued::new(entries, self.load.bytes, Origin::Host))
    }
}
