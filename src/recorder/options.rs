use std::fmt;
use std::time::Duration;

use crate::model::limits::EntryLimits;
use crate::model::redactor::Redactor;
use crate::recorder::health::RecorderFailure;
use crate::recorder::load::Load;
use crate::recorder::policy::QueuePolicy;
use crate::recorder::unwritten::Unwritten;

const QUEUE: Load = Load { entries: 10_000, bytes: 16 << 20 };
const BATCH: Load = Load { entries: 1_000, bytes: 4 << 20 };
const BATCH_TIME: Duration = Duration::from_millis(50);
const DROP_LIMIT: Duration = Duration::from_secs(5);
/// The host's function for failures.
pub(crate) type OnFailure = Box<dyn FnMut(&RecorderFailure) + Send>;
/// The host's function for what is left.
pub(crate) type OnUnwritten = Box<dyn FnOnce(Unwritten) + Send>;

const ACTOR: &str = "activity-log";

/// How much a [`Recorder`](crate::Recorder) holds, how it writes, and whom it tells.
///
/// ```
/// use std::time::Duration;
///
/// use activity_log::{QueuePolicy, RecorderOptions, Redactor};
///
/// let options = RecorderOptions::new()
///     .queue_entries(50_000)
///     .policy(QueuePolicy::Block { at_most: Duration::from_millis(200) })
///     .redactor(Redactor::new(["password", "token"]))
///     .on_failure(|failure| eprintln!("attempt {}: {}", failure.attempts, failure.error));
/// ```
pub struct RecorderOptions {
    pub(crate) queue: Load,
    pub(crate) policy: QueuePolicy,
    pub(crate) batch: Load,
    pub(crate) batch_time: Duration,
    pub(crate) limits: EntryLimits,
    pub(crate) redactor: Option<Redactor>,
    pub(crate) actor: String,
    pub(crate) is_enabled: bool,
    pub(crate) drop_limit: Duration,
    pub(crate) on_failure: OnFailure,
    pub(crate) on_unwritten: OnUnwritten,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self {
            queue: QUEUE,
            policy: QueuePolicy::default(),
            batch: BATCH,
            batch_time: BATCH_TIME,
            limits: EntryLimits::default(),
            redactor: None,
            actor: ACTOR.to_owned(),
            is_enabled: true,
            drop_limit: DROP_LIMIT,
            on_failure: Box::new(|_| {}),
            on_unwritten: Box::new(|_| {}),
        }
    }
}

impl RecorderOptions {
    /// A queue of 10,000 entries or 16 MiB for which callers wait up to five seconds, transactions of up to 1,000
    /// entries, 4 MiB or 50 ms, and no callbacks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries may wait or be under way; at least 1. What is given to `record_all` at once may be larger: it is
    /// taken when the queue is empty.
    #[must_use]
    pub fn queue_entries(mut self, entries: usize) -> Self {
        self.queue.entries = entries.max(1);
        self
    }

    /// About how many bytes of memory the entries that wait or are under way may take. An entry that is larger is taken
    /// when the queue is empty.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue.bytes = bytes;
        self
    }

    /// What to do when the queue has no room.
    #[must_use]
    pub fn policy(mut self, policy: QueuePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How many entries one transaction may have. A larger `record_all` has a transaction of its own.
    #[must_use]
    pub fn batch_entries(mut self, entries: usize) -> Self {
        self.batch.entries = entries;
        self
    }

    /// About how many bytes one transaction may have. A larger entry has a transaction of its own.
    #[must_use]
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batch.bytes = bytes;
        self
    }

    /// After how long a transaction is committed, even if more has gathered: for so long, other writers may have to wait.
    #[must_use]
    pub fn batch_time(mut self, time: Duration) -> Self {
        self.batch_time = time;
        self
    }

    /// Limits the size of entries; [`EntryLimits::default`] applies otherwise.
    #[must_use]
    pub fn limits(mut self, limits: EntryLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Masks secrets in the metadata of entries before they are written and before subscribers see them.
    #[must_use]
    pub fn redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = Some(redactor);
        self
    }

    /// The actor of the entries about dropped entries. The default is `activity-log`.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = actor.into();
        self
    }

    /// Starts switched off, as a host's settings may say. Nothing is recorded about that.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.is_enabled = false;
        self
    }

    /// How long dropping the last handle waits for what is queued to be written. The default is five seconds.
    #[must_use]
    pub fn drop_limit(mut self, limit: Duration) -> Self {
        self.drop_limit = limit;
        self
    }

    /// Calls `callback` after each attempt to write that failed, in the recorder's thread. The recorder tries again
    /// afterwards.
    #[must_use]
    pub fn on_failure(mut self, callback: impl FnMut(&RecorderFailure) + Send + 'static) -> Self {
        self.on_failure = Box::new(callback);
        self
    }

    /// Gives `callback` what could not be written when the last handle is dropped, if there is anything.
    /// [`shutdown`](crate::Recorder::shutdown) returns it instead.
    #[must_use]
    pub fn on_unwritten(mut self, callback: impl FnOnce(Unwritten) + Send + 'static) -> Self {
        self.on_unwritten = Box::new(callback);
        self
    }
}

impl fmt::Debug for RecorderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderOptions")
            .field("queue", &self.queue)
            .field("policy", &self.policy)
            .field("batch", &self.batch)
            .field("batch_time", &self.batch_time)
            .field("limits", &self.limits)
            .field("redactor", &self.redactor)
            .field("actor", &self.actor)
            .field("is_enabled", &self.is_enabled)
            .field("drop_limit", &self.drop_limit)
            .finish_non_exhaustive()
    }
}
