//! An attempt to write a batch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::model::encoding::{Encoding, storable_text};
use crate::model::limits::EntryLimits;
use crate::model::redactor::Redactor;
use crate::recorder::own_entries::probe;
use crate::recorder::queued::{Origin, Queued};
use crate::recorder::shared::Shared;
use crate::store::Backend;
use crate::store::batch::Row;
use crate::store::blocking::run;
use crate::store::group::{Group, Outcome, Uncommitted, is_of_entry};

/// How entries are written.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) limits: EntryLimits,
    pub(crate) redactor: Option<Redactor>,
    /// How long a transaction may go on before it is committed.
    pub(crate) time: Duration,
}

impl Writing {
    fn encoding(&self, origin: Origin) -> Encoding<'_> {
        match origin {
            Origin::Host => Encoding { limits: self.limits, redactor: self.redactor.as_ref() },
            Origin::Recorder | Origin::SwitchingOff(_) => Encoding::default(),
        }
    }
}

pub(crate) struct Attempt<'a, C> {
    pub(crate) conn: &'a mut C,
    pub(crate) writing: &'a Writing,
    pub(crate) shared: &'a Shared,
}

impl<C: Backend> Attempt<'_, C> {
    /// Writes a batch, and answers what is committed and what is at fault.
    ///
    /// # Errors
    ///
    /// Why the rest of the batch could not be written. It can be tried again.
    pub(crate) fn write(mut self, batch: &[Arc<Queued>]) -> Result<()> {
        let mut rest = batch.to_vec();
        // A transaction that fails is divided until what is at fault is alone. Afterwards they grow again.
        let mut size = batch.len();
        // What failed alone although the database takes others. It is tried once more, because the database may take
        // entries only since then, such as after a migration.
        let mut suspect: Option<Arc<Queued>> = None;
        loop {
            self.shared.begin(&rest);
            rest.retain(|queued| !queued.is_answered());
            let Some(tried) = rest.get(..size.clamp(1, rest.len().max(1))) else { return Ok(()) };
            let Uncommitted { error, outcomes } = match self.insert(tried) {
                Ok(outcomes) => {
                    self.answer(tried, outcomes)?;
                    size = size.saturating_mul(2);
                    continue;
                }
                Err(uncommitted) => uncommitted,
            };
            let is_unclear = !outcomes.is_empty();
            for (queued, outcome) in tried.iter().zip(outcomes) {
                outcome.map(|seqs| queued.set_unclear(seqs)).ok();
            }
            if is_unclear || is_of_database(&error) {
                return Err(error);
            }
            if tried.len() > 1 {
                size = tried.len() / 2;
            } else if is_of_entry(&error) {
                self.answer(tried, vec![Err(error)])?;
            } else if !self.takes_entries() {
                return Err(error);
            } else if suspect.as_ref().is_some_and(|suspect| tried.iter().any(|queued| Arc::ptr_eq(queued, suspect))) {
                self.answer(tried, vec![Err(error)])?;
            } else {
                suspect = tried.first().cloned();
            }
        }
    }

    fn insert(&mut self, tried: &[Arc<Queued>]) -> Result<Vec<Outcome>, Uncommitted> {
        if tried.iter().all(|queued| queued.entries.is_empty()) {
            return Ok(tried.iter().map(|_| Ok(Vec::new())).collect());
        }
        let groups = tried.iter().map(|queued| {
            let encoding = self.writing.encoding(queued.origin);
            Group { entries: &queued.entries, encoding }
        });
        run(self.conn.insert_groups(&groups.collect::<Vec<_>>(), self.until()))
    }

    fn until(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.writing.time).unwrap_or(now)
    }

    /// Answers the first of what was tried.
    fn answer(&mut self, tried: &[Arc<Queued>], outcomes: Vec<Outcome>) -> Result<()> {
        let mut failed = Ok(());
        let mut answered = Vec::with_capacity(outcomes.len());
        for (queued, outcome) in tried.iter().zip(outcomes) {
            match self.after_unclear_commit(queued, outcome) {
                Ok(outcome) => answered.push((queued, outcome)),
                Err(error) => failed = Err(error),
            }
        }
        self.shared.settle(answered.iter().map(|(queued, outcome)| (*queued, outcome)));
        self.publish(&answered);
        for (queued, outcome) in answered {
            queued.slot.answer(outcome);
        }
        failed
    }

    /// What a former transaction, whose commit was unclear, has done. An id that is taken under the number which that
    /// transaction gave is its own.
    fn after_unclear_commit(&mut self, queued: &Queued, outcome: Outcome) -> Result<Outcome> {
        if !matches!(outcome, Err(Error::DuplicateId { .. })) {
            return Ok(outcome);
        }
        let Some(seqs) = queued.unclear() else {
            return if queued.is_uncertain() { self.after_panic(queued, outcome) } else { Ok(outcome) };
        };
        for (entry, seq) in queued.entries.iter().zip(&seqs) {
            let found = run(self.conn.find(&storable_text(&entry.id)))?;
            if found.is_none_or(|row| row.seq() != *seq) {
                return Ok(outcome);
            }
        }
        Ok(Ok(seqs))
    }

    /// What a former transaction has done that ended in a panic, before its numbers were known. An id is its own if the
    /// whole entry is.
    fn after_panic(&mut self, queued: &Queued, outcome: Outcome) -> Result<Outcome> {
        let encoding = self.writing.encoding(queued.origin);
        let mut seqs = Vec::with_capacity(queued.entries.len());
        for entry in &queued.entries {
            let Some(row) = run(self.conn.find(&storable_text(&entry.id)))? else { return Ok(outcome) };
            let seq = row.seq();
            if row.decode().ok().is_none_or(|found| found != encoding.read_back(entry, seq)) {
                return Ok(outcome);
            }
            seqs.push(seq);
        }
        Ok(Ok(seqs))
    }

    /// Whether the database takes another entry. Nothing of it stays.
    fn takes_entries(&mut self) -> bool {
        let probe = probe(&self.shared.actor);
        // The second entry has the id of the first, so the group is refused.
        let group = Group { entries: &[probe.clone(), probe], encoding: Encoding::default() };
        run(self.conn.insert_groups(&[group], self.until())).is_ok()
    }

    fn publish(&self, answered: &[(&Arc<Queued>, Outcome)]) {
        let feeds = self.shared.feeds.live();
        if feeds.is_empty() {
            return;
        }
        for (queued, outcome) in answered {
            let encoding = self.writing.encoding(queued.origin);
            for (entry, seq) in queued.entries.iter().zip(outcome.iter().flatten()) {
                let entry = Arc::new(encoding.read_back(entry, *seq));
                feeds.iter().for_each(|feed| feed.publish(&entry));
            }
        }
    }
}

/// Whether no entry can be at fault.
fn is_of_database(error: &Error) -> bool {
    matches!(error, Error::Busy(_)) || error.is_out_of_space()
}
