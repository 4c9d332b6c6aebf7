//! Wakes the followers of the log when there may be new entries, whichever process wrote them.

use std::sync::Arc;
use std::time::Duration;

use activity_log::Subscription;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::database::{Database, DatabaseError};
use crate::file::OpenFile;

/// How many clients may follow at once. Each holds a connection to the server and reads whenever something changes.
const MAX_FOLLOWERS: usize = 100;

/// How many followers read at once. All followers wake together, and other requests need connections too.
const MAX_READERS: usize = 2;

/// The interval at which writes by other processes are looked for.
const POLL: Duration = Duration::from_millis(500);

/// Announces new entries to the followers.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    followers: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    arrived: Arc<Notify>,
    changes: watch::Sender<()>,
    stopping: watch::Receiver<bool>,
}

/// One follower. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Follower {
    changes: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    readers: Arc<Semaphore>,
    _permit: OwnedSemaphorePermit,
}

impl Live {
    /// Starts to watch what the server has recorded, and the database, in tasks that end with the runtime.
    pub(crate) async fn start(
        database: &Database,
        mut recorded: Subscription,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, DatabaseError> {
        let live = Self {
            followers: Arc::new(Semaphore::new(MAX_FOLLOWERS)),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
            arrived: Arc::default(),
            changes: watch::Sender::new(()),
            stopping,
        };
        let changes = live.changes.clone();
        tokio::spawn(async move {
            // Only the sign that there is something: followers read it in the order of the log, among other writers'
            // entries.
            while recorded.next().await.is_some() {
                changes.send_replace(());
            }
        });
        let file = database.file().clone();
        let database = database.clone();
        let conn = spawn_blocking(move || database.connect()).await??;
        tokio::spawn(live.clone().watch(conn, file));
        Ok(live)
    }

    /// Adds a follower; `None` when there are too many.
    pub(crate) fn follow(&self) -> Option<Follower> {
        let permit = Arc::clone(&self.followers).try_acquire_owned().ok()?;
        let follower = Follower {
            changes: self.changes.subscribe(),
            stopping: self.stopping.clone(),
            readers: Arc::clone(&self.readers),
            _permit: permit,
        };
        self.arrived.notify_one();
        Some(follower)
    }

    /// Announces a change that the recorder did not make.
    pub(crate) fn announce(&self) {
        self.changes.send_replace(());
    }

    /// Announces writes by other processes, and that the file is lost or back, which the followers find out when they
    /// read.
    async fn watch(self, mut conn: SqliteConnection, file: OpenFile) {
        let mut seen = None;
        let mut lost = None;
        loop {
            if self.changes.receiver_count() == 0 {
                // The next follower first reads what is already there, and `seen` is older than that.
                self.arrived.notified().await;
            }
            let polled = spawn_blocking(move || {
                let version = data_version(&mut conn);
                (conn, version)
            });
            let Ok((returned, version)) = polled.await else { return };
            conn = returned;
            // On an error, the followers are woken to read: they report what is wrong.
            let version = version.ok();
            if version.is_none() || version != seen {
                self.changes.send_replace(());
            }
            seen = version;
            let found = file.check().err();
            if found != lost {
                if let Some(lost) = found {
                    eprintln!("example-server: {lost}");
                }
                self.changes.send_replace(());
            }
            lost = found;
            sleep(POLL).await;
        }
    }
}

impl Follower {
    /// Waits until there may be new entries; returns `false` once the server is stopping.
    pub(crate) async fn changed(&mut self) -> bool {
        tokio::select! {
            changed = self.changes.changed() => changed.is_ok(),
            _ = self.stopping.wait_for(|stopping| *stopping) => false,
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits for permission to read the database. Later changes are announced again.
    pub(crate) async fn read_permit(&mut self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.readers).acquire_owned().await.ok();
        self.changes.mark_unchanged();
        permit
    }
}

/// A number that changes whenever another connection commits, in any process.
fn data_version(conn: &mut SqliteConnection) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = BigInt)]
        data_version: i64,
    }

    let version: Version = diesel::sql_query("PRAGMA data_version").get_result(conn)?;
    Ok(version.data_version)
}
