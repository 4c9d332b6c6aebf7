//! What the callers of a recorder and its thread share, under one lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::error::recorder::RecorderError;
use crate::recorder::health::{RecorderFailure, RecorderHealth};
use crate::recorder::load::Load;
use crate::recorder::options::OnUnwritten;
use crate::recorder::own_entries::Dropped;
use crate::recorder::queued::Queued;
use crate::recorder::slot::Slot;
use crate::recorder::sync::Condvar;
use crate::recorder::unwritten::Unwritten;

pub(crate) struct State {
    pub(crate) queue: VecDeque<Arc<Queued>>,
    /// What the thread is writing.
    pub(crate) in_flight: Vec<Arc<Queued>>,
    /// Whether a transaction with that may have begun. Before, the thread connects.
    pub(crate) is_writing: bool,
    /// Of what is queued or in flight.
    pub(crate) load: Load,
    /// Callers that wait for room, in the order in which they came.
    pub(crate) turns: VecDeque<Arc<Condvar>>,
    /// Tasks that wait for room, each by a number of its own.
    pub(crate) wakers: BTreeMap<u64, Waker>,
    pub(crate) next_waker: u64,
    pub(crate) phase: Phase,
    /// Whether the thread waits for something to write.
    pub(crate) is_idle: bool,
    pub(crate) is_enabled: bool,
    /// How often the recorder was switched on or off.
    pub(crate) switches: u64,
    /// What was dropped since the last entry about that.
    pub(crate) dropped: Option<Dropped>,
    pub(crate) counts: Counts,
    pub(crate) failure: Option<RecorderFailure>,
    /// What was not written, until somebody asks.
    pub(crate) unwritten: Unwritten,
    /// Whom to give it to at the end, if the last handle was dropped where nothing may wait.
    pub(crate) on_unwritten: Option<OnUnwritten>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) recorded: u64,
    pub(crate) at_fault: u64,
    pub(crate) refused: u64,
    pub(crate) dropped: u64,
    pub(crate) withdrawn: u64,
}

/// From the start of a recorder to the end of its thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// Nothing more is taken. What is queued is written until this moment.
    Draining(Option<Instant>),
    /// Nothing more is written.
    Abandoned,
    /// The thread has ended.
    Ended,
}

impl State {
    pub(crate) fn new(is_enabled: bool) -> Self {
        Self {
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            is_writing: false,
            load: Load::default(),
            turns: VecDeque::new(),
            wakers: BTreeMap::new(),
            next_waker: 0,
            phase: Phase::Open,
            is_idle: false,
            is_enabled,
            switches: 0,
            dropped: None,
            counts: Counts::default(),
            failure: None,
            unwritten: Unwritten::default(),
            on_unwritten: None,
        }
    }

    /// Why the host's entries are not taken, if they are not.
    pub(crate) fn closed(&self) -> Result<(), RecorderError> {
        match self.phase {
            Phase::Open if self.is_enabled => Ok(()),
            Phase::Open => Err(RecorderError::SwitchedOff),
            Phase::Draining(_) | Phase::Abandoned | Phase::Ended => Err(RecorderError::ShutDown),
        }
    }

    /// Whether a shutdown has given up, and has taken what was left.
    pub(crate) fn is_given_up(&self) -> bool {
        self.phase == Phase::Abandoned && self.queue.is_empty() && self.in_flight.is_empty()
    }

    pub(crate) fn add(&mut self, queued: Queued) -> Arc<Slot> {
        let slot = Arc::clone(&queued.slot);
        self.load += Load::of(&queued);
        self.queue.push_back(Arc::new(queued));
        slot
    }

    /// Lets the caller that has waited longest look whether there is room.
    pub(crate) fn call_next(&self) {
        if let Some(turn) = self.turns.front() {
            turn.notify_one();
        }
    }

    /// Lets all callers that wait see that waiting has no point.
    pub(crate) fn call_all(&self) {
        self.turns.iter().for_each(|turn| turn.notify_one());
    }

    /// Moves what will not be written to where it can be asked for. The receipts are to be answered without the lock.
    #[must_use]
    pub(crate) fn abandon(&mut self, actor: &str) -> Vec<(Arc<Queued>, RecorderError)> {
        let in_flight = std::mem::take(&mut self.in_flight).into_iter().map(|queued| (queued, true));
        let queue = std::mem::take(&mut self.queue).into_iter().map(|queued| (queued, false));
        let mut abandoned = Vec::new();
        for (queued, is_in_flight) in in_flight.chain(queue).filter(|(queued, _)| !queued.is_answered()) {
            self.load -= Load::of(&queued);
            let is_unclear = is_in_flight || queued.unclear().is_some();
            let (list, reason) = if is_unclear {
                (&mut self.unwritten.unclear, RecorderError::Unclear)
            } else {
                (&mut self.unwritten.entries, RecorderError::ShutDown)
            };
            list.extend(queued.entries.iter().cloned());
            abandoned.push((queued, reason));
        }
        self.unwritten.entries.extend(self.dropped.take().map(|dropped| dropped.entry(actor)));
        abandoned
    }

    pub(crate) fn health(&self) -> RecorderHealth {
        let Counts { recorded, at_fault, refused, dropped, withdrawn } = self.counts;
        RecorderHealth {
            is_running: self.phase == Phase::Open,
            is_enabled: self.is_enabled,
            queued_entries: self.load.entries,
            queued_bytes: self.load.bytes,
            waiting_callers: self.turns.len(),
            recorded,
            at_fault,
            refused,
            dropped,
            withdrawn,
            failure: self.failure.clone(),
        }
    }
}
