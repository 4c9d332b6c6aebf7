//! Taking back what is not written yet.

use std::sync::Arc;

use crate::error::recorder::RecorderError;
use crate::recorder::load::Load;
use crate::recorder::queued::Queued;
use crate::recorder::room::release_and_wake;
use crate::recorder::shared::Shared;
use crate::recorder::slot::Slot;
use crate::recorder::state::State;
use crate::recorder::sync::MutexGuard;

impl Shared {
    /// Takes the entries with this slot out of the queue. If they are being written, that is for [`finish`](Self::finish).
    pub(crate) fn withdraw(&self, slot: &Arc<Slot>) {
        let mut state = self.state();
        let has_slot = |queued: &Arc<Queued>| Arc::ptr_eq(&queued.slot, slot);
        if let Some(queued) = state.in_flight.iter().find(|queued| has_slot(queued)) {
            queued.set_unwanted();
            return;
        }
        let Some(position) = state.queue.iter().position(has_slot) else { return };
        let Some(queued) = state.queue.get(position) else { return };
        queued.set_unwanted();
        if queued.can_be_withdrawn() {
            let withdrawn = state.queue.remove(position).into_iter().collect();
            self.answer_withdrawn(state, withdrawn);
        }
    }

    /// Answers the receipts of what is no longer in the queue and never was written.
    pub(crate) fn answer_withdrawn(&self, mut state: MutexGuard<'_, State>, withdrawn: Vec<Arc<Queued>>) {
        if withdrawn.is_empty() {
            return;
        }
        for queued in &withdrawn {
            let load = Load::of(queued);
            state.load -= load;
            state.counts.withdrawn = state.counts.withdrawn.saturating_add(load.entries as u64);
        }
        self.report_dropped(&mut state);
        state.call_next();
        release_and_wake(state);
        for queued in withdrawn {
            queued.slot.answer(Err(RecorderError::Withdrawn.into()));
        }
    }
}
