//! What the handlers share.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Access;
use crate::database::Database;
use crate::export::Exports;
use crate::live::Live;

/// How many requests may count at once. A page asks anew with each letter that is typed, and what it no longer waits for
/// is counted to its end: the connections are for the others too.
const MOST_COUNTING: usize = 2;

/// Cheap to clone: each request gets one.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) live: Live,
    pub(crate) exports: Exports,
    pub(crate) access: Arc<Access>,
    counting: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(database: Database, live: Live, access: Access) -> Self {
        let counting = Arc::new(Semaphore::new(MOST_COUNTING));
        Self { database, live, exports: Exports::default(), access: Arc::new(access), counting }
    }

    /// A turn to count, to be held until that is done; requests that go away meanwhile give up theirs.
    pub(crate) async fn turn_to_count(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.counting).acquire_owned().await.ok()
    }
}
