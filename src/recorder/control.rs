//! What is asked of a recorder besides recording.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::error::recorder::RecorderError;
use crate::model::filters::ActivityLogFilters;
use crate::model::normalized_filters::NormalizedFilters;
use crate::recorder::health::RecorderHealth;
use crate::recorder::receipt::Receipt;
use crate::recorder::slot::Slot;
use crate::recorder::subscription::Subscription;
use crate::recorder::unwritten::Unwritten;
use crate::recorder::{Recorder, first};

impl Recorder {
    /// A receipt that is answered once everything is that was queued before.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use activity_log::{NewActivityLogEntry, Recorder, RecorderOptions};
    /// # fn main() -> activity_log::Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let database = folder.path().join("server.db").display().to_string();
    /// # activity_log::run_migrations(&mut activity_log::connect(&database)?)?;
    /// # let recorder = Recorder::start(move || activity_log::connect(&database), RecorderOptions::new())?;
    /// recorder.record(NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"));
    /// match recorder.flush().wait_at_most(Duration::from_secs(60)) {
    ///     Ok(flushed) => flushed?,
    ///     Err(_receipt) => eprintln!("the database is away"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn flush(&self) -> Receipt<()> {
        receipt(self.shared().flush(), |_| ())
    }

    /// Takes no more entries, waits until all that are queued are written, for at most this long, and returns those that
    /// could not be. Their receipts are answered with [`Error::Recorder`](crate::Error::Recorder).
    ///
    /// If a transaction is under way when time is up, it waits up to a second longer to learn what becomes of it. It
    /// blocks: in async code, call it on a thread that may block. In a callback of the recorder it does not wait, and
    /// returns nothing.
    pub fn shutdown(&self, at_most: Duration) -> Unwritten {
        self.handle.shut_down(at_most)
    }

    /// Subscribes to the entries that are committed from now on and match, in their order. The subscription holds up to
    /// `capacity` of them, at least one, for a reader that is slow.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`](crate::Error::InvalidFilter) if the filters cannot be run.
    pub fn subscribe(&self, filters: ActivityLogFilters, capacity: usize) -> Result<Subscription> {
        NormalizedFilters::new(&filters)?;
        Ok(Subscription::new(self.shared().feeds.add(filters, capacity)))
    }

    /// Switches the recorder on, and records that `actor` did. What is recorded afterwards follows that entry.
    pub fn enable(&self, actor: &str) -> Receipt {
        receipt(self.shared().switch(true, actor), first)
    }

    /// Records that `actor` switches the recorder off, and switches it off once that is committed, so the log always says
    /// why it has a gap. What is recorded until then is still written; what is recorded after that is refused.
    ///
    /// The receipt is answered when it is off. If [`enable`](Self::enable) is called before, it stays on.
    pub fn disable(&self, actor: &str) -> Receipt {
        receipt(self.shared().switch(false, actor), first)
    }

    /// Whether the recorder is switched on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.health().is_enabled
    }

    /// How the recorder is doing.
    #[must_use]
    pub fn health(&self) -> RecorderHealth {
        self.shared().health()
    }
}

fn receipt<T>(slot: Result<Arc<Slot>, RecorderError>, read: fn(Vec<i64>) -> T) -> Receipt<T> {
    match slot {
        Ok(slot) => Receipt::new(slot, read),
        Err(reason) => Receipt::refused(reason, read),
    }
}
