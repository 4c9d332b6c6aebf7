//! What the handlers share.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts as RequestParts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::actor::{Actor, ActorOf};
use crate::database::Database;
use crate::links::Links;
use crate::live::Live;
use crate::recording::Recording;
use crate::routes::Routes;

/// How many requests count at once, so that counting leaves connections for other requests. The page counts again after
/// each letter typed, and a count runs to its end even after the page has stopped waiting for it.
const MAX_COUNTS: usize = 2;

/// How many exports run at once. Each occupies a connection of the pool for the whole download.
const MAX_EXPORTS: usize = 4;

/// Cheap to clone: each request gets one.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) recording: Recording,
    pub(crate) live: Live,
    pub(crate) actor: ActorOf,
    pub(crate) links: Links,
    pub(crate) routes: Routes,
    /// Whether anything may be written, such as an entry about an export.
    pub(crate) writes: bool,
    /// How long a client may take to receive a part of an export or a stream.
    pub(crate) client_patience: Duration,
    counts: Arc<Semaphore>,
    exports: Arc<Semaphore>,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// What an [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) recording: Recording,
    pub(crate) live: Live,
    pub(crate) actor: ActorOf,
    pub(crate) links: Links,
    pub(crate) routes: Routes,
    /// Whether anything may be written, such as an entry about an export.
    pub(crate) writes: bool,
    pub(crate) client_patience: Duration,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { database, recording, live, actor, links, routes, writes, client_patience } = parts;
        let half_of_pool = database.max_connections() / 2;
        Self {
            counts: Arc::new(Semaphore::new(half_of_pool.clamp(1, MAX_COUNTS))),
            exports: Arc::new(Semaphore::new(half_of_pool.clamp(1, MAX_EXPORTS))),
            database,
            recording,
            live,
            actor,
            links,
            routes,
            writes,
            client_patience,
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

impl FromRequestParts<App> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut RequestParts, app: &App) -> Result<Self, Infallible> {
        Ok(app.actor.of(request))
    }
}
