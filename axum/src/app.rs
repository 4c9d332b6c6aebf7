//! What the handlers share.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::actor::{Actor, ActorOf};
use crate::database::Database;
use crate::links::Links;
use crate::live::Live;
use crate::permits::Permits;
use crate::recording::Recording;
use crate::retention::Retention;
use crate::routes::Routes;
use crate::unreadable::UnreadableRows;

/// Each request gets one, several times.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) recording: Recording,
    pub(crate) live: Live,
    pub(crate) permits: Permits,
    pub(crate) actor: ActorOf,
    pub(crate) links: Links,
    pub(crate) routes: Routes,
    /// Whether anything may be written, such as an entry about an export.
    pub(crate) writes: bool,
    pub(crate) retention: Option<Arc<dyn Retention>>,
    pub(crate) sign_ins_refused: Option<SignInsRefused>,
    pub(crate) unreadable: UnreadableRows,
    /// How long a client may take to receive a part of an export or a stream.
    pub(crate) client_patience: Duration,
}

/// Says how many attempts to sign in were refused.
pub(crate) type SignInsRefused = Arc<dyn Fn() -> u64 + Send + Sync>;

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("routes", &self.routes).finish_non_exhaustive()
    }
}

impl FromRequestParts<App> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(app.actor.of(request))
    }
}
