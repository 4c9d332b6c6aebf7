//! Telling those who follow the log that there is something new, whoever wrote it.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::database::Database;

/// How many may follow at once: each holds a connection to the server and reads whenever there is something new.
const MOST_FOLLOWERS: usize = 100;

/// How many followers read at once. All of them wake together, and other requests need connections too.
const MOST_READERS: usize = 2;

/// How often another process's writes are looked for.
const POLL: Duration = Duration::from_millis(500);

/// What wakes the followers.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    places: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    arrived: Arc<Notify>,
    changes: watch::Sender<()>,
    stopping: watch::Receiver<bool>,
}

/// A place among the followers, until it is dropped.
#[derive(Debug)]
pub(crate) struct Follower {
    changes: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    readers: Arc<Semaphore>,
    _place: OwnedSemaphorePermit,
}

impl Live {
    /// Begins to watch the database, on a task of its own that ends with the runtime.
    pub(crate) async fn start(
        database: &Database,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, activity_log::Error> {
        let live = Self {
            places: Arc::new(Semaphore::new(MOST_FOLLOWERS)),
            readers: Arc::new(Semaphore::new(MOST_READERS)),
            arrived: Arc::default(),
            changes: database.changes().clone(),
            stopping,
        };
        let other = database.clone();
        let watched = spawn_blocking(move || other.connect()).await;
        if let Ok(conn) = watched {
            tokio::spawn(live.clone().watch(conn?));
        }
        Ok(live)
    }

    /// A place among the followers; `None` when all are taken.
    pub(crate) fn follow(&self) -> Option<Follower> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let follower = Follower {
            changes: self.changes.subscribe(),
            stopping: self.stopping.clone(),
            readers: Arc::clone(&self.readers),
            _place: place,
        };
        self.arrived.notify_one();
        Some(follower)
    }

    /// Announces other processes' writes.
    async fn watch(self, mut conn: SqliteConnection) {
        let mut seen = None;
        loop {
            if self.changes.receiver_count() == 0 {
                // Whoever comes next reads what is there by itself, and `seen` is still from before that.
                self.arrived.notified().await;
            }
            let polled = spawn_blocking(move || {
                let version = data_version(&mut conn);
                (conn, version)
            });
            let Ok((returned, version)) = polled.await else { return };
            conn = returned;
            // A database that fails to say is for the followers to find out, who read it then.
            let version = version.ok();
            if version.is_none() || version != seen {
                self.changes.send_replace(());
            }
            seen = version;
            sleep(POLL).await;
        }
    }
}

impl Follower {
    /// Waits until there may be something new; `false` once the server stops.
    pub(crate) async fn changed(&mut self) -> bool {
        tokio::select! {
            changed = self.changes.changed() => changed.is_ok(),
            _ = self.stopping.wait_for(|stopping| *stopping) => false,
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// A turn to read the database; what changes from now on is announced again.
    pub(crate) async fn turn(&mut self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.readers).acquire_owned().await.ok();
        self.changes.mark_unchanged();
        turn
    }
}

/// A number that changes when any other connection, of whatever process, commits.
fn data_version(conn: &mut SqliteConnection) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = BigInt)]
        data_version: i64,
    }

    let version: Version = diesel::sql_query("PRAGMA data_version").get_result(conn)?;
    Ok(version.data_version)
}
