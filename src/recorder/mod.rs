//! Recording from anywhere, through one thread.

mod attempt;
mod control;
mod feed;
mod guard;
mod hand_over;
mod handle;
pub(crate) mod health;
mod load;
pub(crate) mod options;
mod own_entries;
mod own_thread;
pub(crate) mod policy;
mod queued;
pub(crate) mod receipt;
pub(crate) mod refused;
mod room;
#[cfg(all(test, activity_log_shuttle))]
mod schedules;
mod shared;
mod shut_down;
mod slot;
mod state;
pub(crate) mod subscription;
mod sync;
pub(crate) mod unwritten;
pub(crate) mod update;
mod withdraw;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::error::recorder::RecorderError;
use crate::error::{Error, Result};
use crate::model::entry::NewActivityLogEntry;
use crate::model::size::bytes_of;
use crate::recorder::attempt::Writing;
use crate::recorder::handle::Handle;
use crate::recorder::load::Load;
use crate::recorder::options::RecorderOptions;
#[cfg(feature = "tracing")]
use crate::recorder::policy::QueuePolicy;
use crate::recorder::receipt::Receipt;
use crate::recorder::refused::Refused;
use crate::recorder::shared::{Place, Shared};
use crate::recorder::writer::Writer;
use crate::store::Backend;

/// Longer times are as good as none, and a clock can tell them.
const MAX_TIME: Duration = Duration::from_secs(60 * 60);

/// Records from anywhere, without a connection at hand: a thread with a connection of its own commits together what has
/// gathered, with one sync for all of it.
///
/// It is a handle to clone and to share among threads and tasks. It needs no async runtime and works with any.
///
/// ```
/// use std::time::Duration;
///
/// use activity_log::{NewActivityLogEntry, Recorder, RecorderOptions};
///
/// # fn main() -> activity_log::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let database = folder.path().join("server.db").display().to_string();
/// activity_log::run_migrations(&mut activity_log::connect(&database)?)?;
/// let options = RecorderOptions::new().on_failure(|failure| eprintln!("activity log: {}", failure.error));
/// let recorder = Recorder::start(move || activity_log::connect(&database), options)?;
///
/// // Fire and forget:
/// recorder.record(NewActivityLogEntry::new("device", "device.lost", "system", "The lamp does not answer"));
/// // Wait until it is committed. In async code: `recorder.record(entry).await?`
/// let entry = NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in");
/// assert_eq!(recorder.record(entry).wait()?, 2);
///
/// // On SIGTERM:
/// let unwritten = recorder.shutdown(Duration::from_secs(10));
/// for entry in unwritten.entries.iter().chain(&unwritten.unclear) {
///     eprintln!("not recorded: {entry:?}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`recording`](crate::recording) says when to use it, and when to record in the transaction of a change instead.
///
/// # Order
///
/// Entries are committed in the order in which they were queued, and their `seq`s ascend in it.
///
/// # What it does about failures
///
/// An entry that is at fault is answered with its own error, and the entries around it are written. If the database is
/// busy, full or away, the recorder keeps what it has, in its order, and tries again: after 10 ms at first, after a second
/// in the end, with a new connection where the old one is lost. It [reports](RecorderOptions::on_failure) each attempt
/// that failed, and [`health`](Self::health) says so too. If a connection is lost during a commit, the recorder looks
/// for the entries by their ids, and writes those that are missing.
///
/// The queue holds a limited number of entries and bytes. When it has no room, the [policy](RecorderOptions::policy)
/// decides.
#[derive(Clone)]
pub struct Recorder {
    handle: Arc<Handle>,
}

impl Recorder {
    /// Starts the thread, which calls `connect` for a connection that nobody else uses, and again after that is lost.
    ///
    /// The database is up to date with [`run_migrations`](crate::run_migrations). If it cannot be opened, the recorder
    /// tries again until it can.
    ///
    /// # Errors
    ///
    /// [`Error::RecorderThread`] if the thread cannot be started.
    pub fn start<C: Backend + 'static, E: Into<Error>>(
        mut connect: impl FnMut() -> Result<C, E> + Send + 'static,
        options: RecorderOptions,
    ) -> Result<Self> {
        let RecorderOptions {
            queue,
            policy,
            batch,
            batch_time,
            limits,
            redactor,
            actor,
            is_enabled,
            drop_limit,
            on_failure,
            on_unwritten,
        } = options;
        let shared = Arc::new(Shared::new(queue, policy, actor, is_enabled));
        let writing = Writing { limits, redactor, time: batch_time.min(MAX_TIME) };
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("activity-log-recorder".to_owned());
        let work = move || {
            let connect = move || connect().map_err(Into::into);
            Writer::new(connect, writing, batch, on_failure).work(&for_thread);
        };
        let thread = thread.spawn(work).map_err(Error::RecorderThread)?;
        Ok(Self { handle: Arc::new(Handle::new(shared, thread, drop_limit, on_unwritten)) })
    }

    /// Whether `record` may make its caller wait.
    #[cfg(feature = "tracing")]
    pub(crate) fn may_block(&self) -> bool {
        matches!(self.shared().policy(), QueuePolicy::Block { .. })
    }

    /// Whether this is the thread of a recorder.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_own_thread() -> bool {
        own_thread::may_wait().is_err()
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// Queues an entry. The receipt gives its `seq` once it is committed; dropping the receipt is fine.
    ///
    /// If the recorder does not take the entry, the receipt is answered at once with [`Error::Recorder`];
    /// [`try_record`](Self::try_record) gives the entry back instead.
    #[expect(clippy::must_use_candidate, reason = "an entry is recorded without its receipt too")]
    pub fn record(&self, entry: NewActivityLogEntry) -> Receipt {
        self.try_record(entry).unwrap_or_else(|refused| Receipt::refused(refused.reason(), first))
    }

    /// Queues an entry, or gives it back at once with the reason why not.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the entry if the queue is full, as the [policy](RecorderOptions::policy) says, or if the recorder
    /// is switched off or shut down.
    pub fn try_record(&self, entry: NewActivityLogEntry) -> Result<Receipt, Refused<NewActivityLogEntry>> {
        match self.shared().admit(Load { entries: 1, bytes: bytes_of(&entry) }) {
            Ok(place) => Ok(Receipt::new(place.take(vec![entry]), first)),
            Err(reason) => Err(Refused::new(reason, entry)),
        }
    }

    /// Waits without a thread until there is room, whatever the policy, and queues an entry: for async code that is to go
    /// no faster than the database.
    ///
    /// Dropping the future withdraws the entry, so a timeout is a limit. Tasks get in in no particular order.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the entry if the recorder is switched off or shut down.
    pub async fn record_when_room(&self, entry: NewActivityLogEntry) -> Result<Receipt, Refused<NewActivityLogEntry>> {
        let load = Load { entries: 1, bytes: bytes_of(&entry) };
        self.when_room(load, entry, |place, entry| Receipt::new(place.take(vec![entry]), first)).await
    }

    /// Queues entries of which all or none are written, in one transaction. The receipt gives the `seq` of each, in their
    /// order. The transaction may have other entries too.
    #[expect(clippy::must_use_candidate, reason = "an entry is recorded without its receipt too")]
    pub fn record_all(&self, entries: Vec<NewActivityLogEntry>) -> Receipt<Vec<i64>> {
        self.try_record_all(entries).unwrap_or_else(|refused| Receipt::refused(refused.reason(), all))
    }

    /// Queues entries of which all or none are written, or gives them back at once with the reason why not.
    ///
    /// # Errors
    ///
    /// Those of [`try_record`](Self::try_record).
    pub fn try_record_all(
        &self,
        entries: Vec<NewActivityLogEntry>,
    ) -> Result<Receipt<Vec<i64>>, Refused<Vec<NewActivityLogEntry>>> {
        match self.shared().admit(load_of(&entries)) {
            Ok(place) => Ok(Receipt::new(place.take(entries), all)),
            Err(reason) => Err(Refused::new(reason, entries)),
        }
    }

    /// Waits without a thread until there is room, whatever the policy, and queues entries of which all or none are
    /// written. More than the queue can hold get in when it is empty.
    ///
    /// As with [`record_when_room`](Self::record_when_room), dropping the future withdraws the entries.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the entries if the recorder is switched off or shut down.
    pub async fn record_all_when_room(
        &self,
        entries: Vec<NewActivityLogEntry>,
    ) -> Result<Receipt<Vec<i64>>, Refused<Vec<NewActivityLogEntry>>> {
        self.when_room(load_of(&entries), entries, |place, entries| Receipt::new(place.take(entries), all)).await
    }

    async fn when_room<T, R>(&self, load: Load, given: T, take: fn(Place<'_>, T) -> R) -> Result<R, Refused<T>> {
        loop {
            match self.shared().admit_now(load) {
                Ok(place) => return Ok(take(place, given)),
                Err(RecorderError::QueueFull) => {}
                Err(reason) => return Err(Refused::new(reason, given)),
            }
            self.shared().room(load).await;
        }
    }
}

fn load_of(entries: &[NewActivityLogEntry]) -> Load {
    Load { entries: entries.len(), bytes: entries.iter().map(bytes_of).sum() }
}

fn first(seqs: Vec<i64>) -> i64 {
    seqs.first().copied().unwrap_or_default()
}

fn all(seqs: Vec<i64>) -> Vec<i64> {
    seqs
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("health", &self.health()).finish_non_exhaustive()
    }
}
