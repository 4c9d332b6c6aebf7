use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::recorder::feed::Feed;
use crate::recorder::own_thread;
use crate::recorder::update::Update;

/// The entries that a [`Recorder`](crate::Recorder) commits from now on and that match a filter, in their order.
///
/// It holds a limited number of entries for its reader. A reader that is slower than that gets those it holds, then
/// [`Update::Lagged`], which says what it has missed, and then what is committed afterwards. Nobody waits for it.
///
/// It sees what this recorder commits. What others write to the log, such as entries that are recorded in the transaction
/// of a change, or by another process, [`query_after`](crate::Repository::query_after) finds: ask it now and then, or
/// whenever the subscription wakes.
///
/// ```
/// use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry, Recorder, RecorderOptions, Update};
///
/// # fn main() -> activity_log::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let database = folder.path().join("server.db").display().to_string();
/// # let mut conn = activity_log::connect(&database)?;
/// # activity_log::run_migrations(&mut conn)?;
/// let recorder = Recorder::start(move || activity_log::connect(&database), RecorderOptions::new())?;
/// let filters = ActivityLogFilters { actions: vec!["user.*".to_owned()], ..Default::default() };
/// let mut subscription = recorder.subscribe(filters.clone(), 256)?;
/// recorder.record(NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"));
/// # drop(recorder);
/// while let Some(update) = subscription.recv() { // or `subscription.next().await`
///     match update {
///         Update::Entry(entry) => println!("{}: {}", entry.seq, entry.message),
///         Update::Lagged(lagged) => {
///             let mut after_seq = lagged.after_seq;
///             while after_seq < lagged.through_seq {
///                 let missed = ActivityLogRepository::new(&mut conn).query_after(&filters, after_seq, 500)?;
///                 let Some(last) = missed.last() else { break };
///                 after_seq = last.seq;
///                 missed.iter().for_each(|entry| println!("{}: {}", entry.seq, entry.message));
///             }
///         }
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Subscription {
    feed: Arc<Feed>,
}

impl Subscription {
    pub(crate) fn new(feed: Arc<Feed>) -> Self {
        Self { feed }
    }

    /// Waits for the next update; `None` once the recorder has ended and everything was read. In a callback of a
    /// recorder, it does not wait.
    pub fn recv(&mut self) -> Option<Update> {
        match own_thread::may_wait() {
            Ok(()) => self.feed.wait_until(None),
            Err(_) => self.feed.take(),
        }
    }

    /// Waits for the next update for at most this long; `None` if there is none by then.
    pub fn recv_at_most(&mut self, at_most: Duration) -> Option<Update> {
        let at_most = if own_thread::may_wait().is_ok() { at_most } else { Duration::ZERO };
        self.feed.wait_until(Instant::now().checked_add(at_most))
    }

    /// The next update, if there is one already.
    pub fn try_recv(&mut self) -> Option<Update> {
        self.feed.take()
    }

    /// Waits for the next update on any executor; `None` once the recorder has ended and everything was read. The future
    /// may be dropped: no update is lost.
    pub async fn next(&mut self) -> Option<Update> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// What [`next`](Self::next) polls, to build a stream from.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Update>> {
        self.feed.poll(context)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}
