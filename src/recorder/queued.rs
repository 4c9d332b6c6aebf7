//! What stands in the queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::recorder::RecorderError;
use crate::model::entry::NewActivityLogEntry;
use crate::recorder::slot::Slot;
use crate::recorder::sync::{Mutex, PoisonError};

/// Entries that are written together or not at all, and where to put the answer.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) entries: Vec<NewActivityLogEntry>,
    pub(crate) bytes: usize,
    pub(crate) origin: Origin,
    pub(crate) slot: Arc<Slot>,
    is_answered: AtomicBool,
    is_unwanted: AtomicBool,
    is_uncertain: AtomicBool,
    /// The numbers of the entries, if a transaction with them may have been committed.
    unclear: Mutex<Option<Vec<i64>>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Origin {
    Host,
    /// An entry of the recorder's own, or a flush.
    Recorder,
    /// The entry about the switch that has this number. Once it is committed, the recorder is off.
    SwitchingOff(u64),
}

impl Queued {
    pub(crate) fn new(entries: Vec<NewActivityLogEntry>, bytes: usize, origin: Origin) -> Self {
        Self {
            entries,
            bytes,
            origin,
            slot: Arc::new(Slot::new()),
            is_answered: AtomicBool::new(false),
            is_unwanted: AtomicBool::new(false),
            is_uncertain: AtomicBool::new(false),
            unclear: Mutex::new(None),
        }
    }

    /// Notes that the recorder's thread has an answer.
    pub(crate) fn set_answered(&self) {
        self.is_answered.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.is_answered.load(Ordering::Relaxed)
    }

    /// Notes that the host no longer wants this written.
    pub(crate) fn set_unwanted(&self) {
        self.is_unwanted.store(true, Ordering::Relaxed);
    }

    /// Notes that this may have been written, although nobody knows under which numbers.
    pub(crate) fn set_uncertain(&self) {
        self.is_uncertain.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_uncertain(&self) -> bool {
        self.is_uncertain.load(Ordering::Relaxed)
    }

    /// Whether this is unwanted, and certainly was not written.
    pub(crate) fn can_be_withdrawn(&self) -> bool {
        let is_certain = !self.is_uncertain() && self.unclear().is_none();
        self.is_unwanted.load(Ordering::Relaxed) && self.origin == Origin::Host && is_certain
    }

    /// Notes the numbers that a transaction gave, of which it is unknown whether it was committed.
    pub(crate) fn set_unclear(&self, seqs: Vec<i64>) {
        *self.unclear.lock().unwrap_or_else(PoisonError::into_inner) = Some(seqs);
    }

    pub(crate) fn unclear(&self) -> Option<Vec<i64>> {
        self.unclear.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// No receipt waits for what is gone, such as after a panic.
impl Drop for Queued {
    fn drop(&mut self) {
        self.slot.answer(Err(RecorderError::Unclear.into()));
    }
}
