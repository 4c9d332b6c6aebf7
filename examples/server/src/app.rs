//! What the handlers share.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Access;
use crate::database::Database;
use crate::live::Live;
use crate::recording::Recording;

/// How many requests count at once, so that counting leaves connections for other requests. The page counts again after
/// each letter typed, and a count runs to its end even after the page has stopped waiting for it.
const MAX_COUNTS: usize = 2;

/// How many exports run at once. Each opens a connection outside the pool, because a slow client would occupy a pooled
/// connection for the whole download.
const MAX_EXPORTS: usize = 4;

/// Cheap to clone: each request gets one.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) recording: Recording,
    pub(crate) live: Live,
    pub(crate) access: Arc<Access>,
    counts: Arc<Semaphore>,
    exports: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(database: Database, recording: Recording, live: Live, access: Access) -> Self {
        Self {
            database,
            recording,
            live,
            access: Arc::new(access),
            counts: Arc::new(Semaphore::new(MAX_COUNTS)),
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
        }
    }

    /// Waits for permission to count, which lasts until the permit is dropped.
    pub(crate) async fn count_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.counts).acquire_owned().await.ok()
    }

    /// Permission to export, which lasts until the permit is dropped; `None` when too many exports are running.
    pub(crate) fn try_export_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.exports).try_acquire_owned().ok()
    }
}
