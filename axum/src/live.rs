//! Wakes the followers of the log when there may be new entries, whichever process wrote them.

use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use activity_log::{ActivityLogFilters, Recorder, Subscription};
use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::database::log::Log;
use crate::database::{Database, DatabaseError};

/// How many clients may follow at once. Each holds a connection to the server and reads whenever something changes.
const MAX_FOLLOWERS: usize = 100;

/// How many followers read at once. All followers wake together, and other requests need connections too.
const MAX_READERS: usize = 2;

/// The interval at which writes by other processes are looked for.
const POLL: Duration = Duration::from_millis(500);

/// Resolves when the streams are to end.
pub(crate) type Stopping = Shared<Pin<Box<dyn Future<Output = ()> + Send>>>;

/// For a host that does not say when.
pub(crate) fn never() -> Stopping {
    stopping(pending())
}

pub(crate) fn stopping(stop: impl Future<Output = ()> + Send + 'static) -> Stopping {
    (Box::pin(stop) as Pin<Box<dyn Future<Output = ()> + Send>>).shared()
}

/// Announces new entries to the followers.
#[derive(Clone)]
pub(crate) struct Live {
    news: Arc<News>,
}

struct News {
    database: Database,
    recorder: Option<Recorder>,
    stopping: Stopping,
    followers: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    changes: watch::Sender<()>,
    /// The task that looks for news while somebody follows. It is started by the first follower, because a viewer may
    /// be built outside of a runtime.
    watcher: Mutex<Option<JoinHandle<()>>>,
}

/// One follower. Dropping it makes room for another.
pub(crate) struct Follower {
    changes: watch::Receiver<()>,
    stopping: Stopping,
    readers: Arc<Semaphore>,
    _permit: OwnedSemaphorePermit,
}

impl Live {
    pub(crate) fn new(database: Database, recorder: Option<Recorder>, stopping: Stopping) -> Self {
        let readers = (database.max_connections() / 2).clamp(1, MAX_READERS);
        let news = News {
            database,
            recorder,
            stopping,
            followers: Arc::new(Semaphore::new(MAX_FOLLOWERS)),
            readers: Arc::new(Semaphore::new(readers)),
            changes: watch::Sender::new(()),
            watcher: Mutex::default(),
        };
        Self { news: Arc::new(news) }
    }

    /// Adds a follower; `None` when there are too many.
    pub(crate) fn follow(&self) -> Option<Follower> {
        let permit = Arc::clone(&self.news.followers).try_acquire_owned().ok()?;
        let follower = Follower {
            changes: self.news.changes.subscribe(),
            stopping: self.news.stopping.clone(),
            readers: Arc::clone(&self.news.readers),
            _permit: permit,
        };
        let mut watcher = self.news.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if watcher.as_ref().is_none_or(JoinHandle::is_finished) {
            *watcher = Some(tokio::spawn(Arc::clone(&self.news).watch()));
        }
        Some(follower)
    }

    /// Announces what the viewer has written itself.
    pub(crate) fn announce(&self) {
        self.news.changes.send_replace(());
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Live").finish_non_exhaustive()
    }
}

impl News {
    /// Announces what the recorder commits and what other processes write, and that the database's file is lost or
    /// back, which the followers find out when they read.
    async fn watch(self: Arc<Self>) {
        // Only the sign that there is something: followers read it in the order of the log, among other writers'
        // entries.
        let mut recorded =
            self.recorder.as_ref().and_then(|recorder| recorder.subscribe(ActivityLogFilters::default(), 1).ok());
        let mut seen = None;
        let mut lost = None;
        while self.has_followers() {
            let next_poll = Instant::now() + POLL;
            let now = match self.database.read(|log| Seen::now(log)).await {
                // The next poll may find a connection.
                Err(DatabaseError::Pool(_)) => seen,
                // Followers report what is wrong when they read.
                now => now.ok(),
            };
            let lost_now = self.database.check().err();
            if let Some(lost) = lost_now.filter(|now| lost != Some(*now)) {
                tracing::error!("{lost}");
            }
            if (now, lost_now) != (seen, lost) {
                self.changes.send_replace(());
            }
            (seen, lost) = (now, lost_now);
            self.pass_on(&mut recorded, next_poll).await;
        }
    }

    /// Whether anybody follows. If not, the task must end, because the next follower starts another.
    fn has_followers(&self) -> bool {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let has_followers = self.changes.receiver_count() > 0;
        if !has_followers {
            *watcher = None;
        }
        has_followers
    }

    /// Announces what the recorder commits until then.
    async fn pass_on(&self, recorded: &mut Option<Subscription>, until: Instant) {
        let pause = sleep_until(until);
        tokio::pin!(pause);
        while let Some(subscription) = recorded {
            tokio::select! {
                () = &mut pause => return,
                update = subscription.next() => match update {
                    Some(_) => self.changes.send_replace(()),
                    None => *recorded = None,
                },
            }
        }
        pause.await;
    }
}

/// What is seen of a log without looking at its entries: it changes whenever one is added or the newest is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    last_given: Option<i64>,
    /// `None` while transactions that write to the log stay open.
    newest: Option<Option<i64>>,
}

impl Seen {
    fn now(log: &mut dyn Log) -> activity_log::Result<Self> {
        let last_given = log.last_given_seq()?;
        let newest = match log.newest_seq() {
            Err(error) if error.is_retryable() => None,
            newest => Some(newest?),
        };
        Ok(Self { last_given, newest })
    }
}

impl Follower {
    /// Waits until there may be new entries; returns `false` once the streams are to end.
    pub(crate) async fn changed(&mut self) -> bool {
        tokio::select! {
            changed = self.changes.changed() => changed.is_ok(),
            () = self.stopping.clone() => false,
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.clone().now_or_never().is_some()
    }

    /// Waits for permission to read the database. Later changes are announced again.
    pub(crate) async fn read_permit(&mut self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.readers).acquire_owned().await.ok();
        self.changes.mark_unchanged();
        permit
    }
}
