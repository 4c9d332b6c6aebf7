//! Withdrawing what is not written yet.

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
    /// Withdraws the entries of a receipt, if they are not written yet. The receipt is then answered with
    /// [`RecorderError::Withdrawn`], and it is certain that nothing was recorded.
    ///
    /// If a transaction with them is under way, the receipt is answered when that ends: with the `seq` after a commit, with
    /// `Withdrawn` after a failure. If that transaction may have been committed, the recorder keeps trying until it knows.
    ///
    /// It does nothing for a receipt that is answered, or that is not for entries of the host's in this recorder.
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
    /// Withdraws the entries with this slot, unless a transaction with them may be under way. Then they are unwanted if that
    /// fails.
    pub(crate) fn withdraw(&self, slot: &Arc<Slot>) {
        let mut state = self.state();
        let has_slot = |queued: &&Arc<Queued>| Arc::ptr_eq(&queued.slot, slot);
        let queued = state.in_flight.iter().find(has_slot).or_else(|| state.queue.iter().find(has_slot)).cloned();
        let Some(queued) = queued.filter(|queued| !queued.is_answered()) else { return };
        queued.set_unwanted();
        if !queued.can_be_withdrawn() {
            return;
        }
        if let Some(position) = state.queue.iter().position(|other| Arc::ptr_eq(other, &queued)) {
            state.queue.remove(position);
        } else if state.is_writing {
            return;
        }
        self.answer_withdrawn(state, vec![queued]);
    }

    /// Withdraws what is unwanted among what has not been written, before a transaction with the rest begins.
    pub(crate) fn begin(&self, unwritten: &[Arc<Queued>]) {
        let mut state = self.state();
        state.is_writing = true;
        let unwanted = unwritten.iter().filter(|queued| !queued.is_answered() && queued.can_be_withdrawn());
        self.answer_withdrawn(state, unwanted.cloned().collect());
    }

    /// Answers the receipts of what is no longer in the queue and never was written.
    pub(crate) fn answer_withdrawn(&self, mut state: MutexGuard<'_, State>, withdrawn: Vec<Arc<Queued>>) {
        if withdrawn.is_empty() {
            return;
        }
        for queued in &withdrawn {
            queued.set_answered();
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
