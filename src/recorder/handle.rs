//! The end of a recorder's life.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::recorder::guard::isolated;
use crate::recorder::options::OnUnwritten;
use crate::recorder::own_thread;
use crate::recorder::shared::Shared;
use crate::recorder::unwritten::Unwritten;

/// What all handles of a recorder share. The last one to go shuts it down.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    drop_limit: Duration,
    on_unwritten: Mutex<Option<OnUnwritten>>,
}

impl Handle {
    pub(crate) fn new(
        shared: Arc<Shared>,
        thread: JoinHandle<()>,
        drop_limit: Duration,
        on_unwritten: OnUnwritten,
    ) -> Self {
        Self { shared, thread: Mutex::new(Some(thread)), drop_limit, on_unwritten: Mutex::new(Some(on_unwritten)) }
    }

    pub(crate) fn shut_down(&self, at_most: Duration) -> Unwritten {
        let unwritten = self.shared.shut_down(at_most);
        // A thread cannot join itself: it may drop the last handle while it ends, with a task that it wakes.
        let may_join = own_thread::may_wait().is_ok() && self.shared.has_ended();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take_if(|_| may_join);
        if let Some(thread) = thread {
            drop(thread.join());
        }
        unwritten
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut on_unwritten = self.on_unwritten.lock().unwrap_or_else(PoisonError::into_inner).take();
        if own_thread::may_wait().is_err() {
            on_unwritten = on_unwritten.and_then(|on_unwritten| self.shared.tell_at_end(on_unwritten));
        }
        let unwritten = self.shut_down(self.drop_limit);
        if let Some(on_unwritten) = on_unwritten.filter(|_| !unwritten.is_empty()) {
            isolated(|| on_unwritten(unwritten));
        }
    }
}
