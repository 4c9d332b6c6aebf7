//! What a recorder hands to its subscribers.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::model::entry::ActivityLogEntry;
use crate::model::filters::ActivityLogFilters;
use crate::recorder::guard::isolated;
use crate::recorder::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use crate::recorder::update::{Lagged, Update};

/// The subscribers that have not gone.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    state: Mutex<FeedsState>,
}

#[derive(Debug, Default)]
struct FeedsState {
    feeds: Vec<Weak<Feed>>,
    has_ended: bool,
}

impl Feeds {
    fn state(&self) -> MutexGuard<'_, FeedsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, filters: ActivityLogFilters, capacity: usize) -> Arc<Feed> {
        let feed = Arc::new(Feed {
            filters,
            capacity: capacity.max(1),
            state: Mutex::new(FeedState::default()),
            arrived: Condvar::new(),
        });
        let mut state = self.state();
        if state.has_ended {
            feed.state().has_ended = true;
        } else {
            // Those who have gone are forgotten even if nothing is committed.
            state.feeds.retain(|feed| feed.strong_count() > 0);
            state.feeds.push(Arc::downgrade(&feed));
        }
        feed
    }

    /// The feeds that somebody still reads.
    pub(crate) fn live(&self) -> Vec<Arc<Feed>> {
        let mut live = Vec::new();
        self.state().feeds.retain(|feed| {
            live.extend(feed.upgrade());
            feed.strong_count() > 0
        });
        live
    }

    pub(crate) fn end(&self) {
        self.state().has_ended = true;
        for feed in self.live() {
            feed.change(|state| state.has_ended = true);
        }
    }
}

/// What one subscriber is still to read.
#[derive(Debug)]
pub(crate) struct Feed {
    filters: ActivityLogFilters,
    capacity: usize,
    state: Mutex<FeedState>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct FeedState {
    entries: VecDeque<Arc<ActivityLogEntry>>,
    /// What did not fit after these entries. Nothing is added before the subscriber knows.
    lagged: Option<Lagged>,
    waker: Option<Waker>,
    has_ended: bool,
}

impl FeedState {
    fn next(&mut self) -> Option<Update> {
        let entry = self.entries.pop_front().map(Update::Entry);
        entry.or_else(|| self.lagged.take().map(Update::Lagged))
    }
}

impl Feed {
    fn state(&self) -> MutexGuard<'_, FeedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut FeedState)) {
        let mut state = self.state();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        self.arrived.notify_all();
        if let Some(waker) = waker {
            isolated(|| waker.wake());
        }
    }

    pub(crate) fn publish(&self, entry: &Arc<ActivityLogEntry>) {
        if !self.filters.matches(entry) {
            return;
        }
        self.change(|state| match (&mut state.lagged, state.entries.back()) {
            (Some(lagged), _) => {
                lagged.through_seq = entry.seq;
                lagged.missed = lagged.missed.saturating_add(1);
            }
            (None, Some(last)) if state.entries.len() >= self.capacity => {
                state.lagged = Some(Lagged { after_seq: last.seq, through_seq: entry.seq, missed: 1 });
            }
            (None, _) => state.entries.push_back(Arc::clone(entry)),
        });
    }

    pub(crate) fn take(&self) -> Option<Update> {
        self.state().next()
    }

    /// Waits for an update; `None` once there will be none, or the deadline has passed.
    pub(crate) fn wait_until(&self, deadline: Option<Instant>) -> Option<Update> {
        let mut state = self.state();
        loop {
            let update = state.next();
            if update.is_some() || state.has_ended {
                return update;
            }
            state = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return None,
                Some(left) => self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Option<Update>> {
        let mut state = self.state();
        let update = state.next();
        if update.is_some() || state.has_ended {
            return Poll::Ready(update);
        }
        let former = state.waker.replace(context.waker().clone());
        drop(state);
        drop(former);
        Poll::Pending
    }
}
