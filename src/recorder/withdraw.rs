//! Taking back what is not written yet.

use std::sync::Arc;

use crate::error::recorder::RecorderError;
use crate::recorder::Recorder;
use crate::recorder::load::Load;
use crate::recorder::queued::Queued;
use crate::recorder::receipt::Receipt;
use crate::recorder::room::release_and_wake;
use crate::recorder::shared::Shared;
use crate::recorder::slot::Slot;
use crate::recorder::state::State;
use crate::recorder::sync::MutexGuard;

impl Recorder {
    /// Takes back what a receipt stands for, if it is not written yet. The receipt is then answered with
    /// [`RecorderError::Withdrawn`], and it is certain that nothing was recorded.
    ///
    /// If a transaction with it is under way, the receipt is answered when that ends: with the `seq` after a commit, with
    /// `Withdrawn` after a failure. If that transaction may have been committed, the recorder goes on until it knows.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use activity_log::{Error, NewActivityLogEntry, Recorder, RecorderError, RecorderOptions};
    /// # fn main() -> activity_log::Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let database = folder.path().join("server.db").display().to_string();
    /// # activity_log::run_migrations(&mut activity_log::connect(&database)?)?;
    /// # let recorder = Recorder::start(move || activity_log::connect(&database), RecorderOptions::new())?;
    /// let receipt = recorder.record(NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"));
    /// let answer = receipt.wait_at_most(Duration::from_secs(5)).or_else(|receipt| {
    ///     recorder.withdraw(&receipt);
    ///     receipt.wait_at_most(Duration::from_secs(1))
    /// });
    /// match answer {
    ///     Ok(Ok(seq)) => println!("recorded as {seq}"),
    ///     Ok(Err(Error::Recorder(RecorderError::Withdrawn))) => println!("not recorded; the database is busy"),
    ///     Ok(Err(error)) => println!("not recorded; {error}"),
    ///     Err(_receipt) => println!("being recorded at this moment"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn withdraw<T>(&self, receipt: &Receipt<T>) {
        self.shared().withdraw(receipt.slot());
    }
}

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
