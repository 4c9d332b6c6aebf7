//! How many requests of a kind run at once, so that each kind leaves connections of the pool to the others.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests count at once. The page counts again after each letter typed, and a count runs to its end even after
/// the page has stopped waiting for it.
const MAX_COUNTS: usize = 2;

/// How many exports run at once. Each occupies a connection for the whole download.
const MAX_EXPORTS: usize = 4;

/// Each permit lasts until it is dropped. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Permits {
    counts: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    changes: Arc<Semaphore>,
}

impl Permits {
    /// Those for a pool of this many connections.
    pub(crate) fn new(connections: usize) -> Self {
        let half = connections / 2;
        Self {
            counts: Arc::new(Semaphore::new(half.clamp(1, MAX_COUNTS))),
            exports: Arc::new(Semaphore::new(half.clamp(1, MAX_EXPORTS))),
            changes: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for permission to count.
    pub(crate) async fn count(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.counts).acquire_owned().await.ok()
    }

    /// Permission to export; `None` when too many exports are running.
    pub(crate) fn try_export(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.exports).try_acquire_owned().ok()
    }

    /// Waits for permission to change settings.
    pub(crate) async fn change(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.changes).acquire_owned().await.ok()
    }
}
