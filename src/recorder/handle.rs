//! The end of a recorder's life.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::recorder::guard::isolated;
use crate::recorder::options::OnUnwritten;
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
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take_if(|_| self.shared.has_ended());
        if let Some(thread) = thread {
            drop(thread.join());
        }
        unwritten
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let unwritten = self.shut_down(self.drop_limit);
        if unwritten.is_empty() {
            return;
        }
        if let Some(on_unwritten) = self.on_unwritten.lock().unwrap_or_else(PoisonError::into_inner).take() {
            isolated(|| on_unwritten(unwritten));
        }
    }
}
