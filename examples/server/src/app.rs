//! What the server's own handlers share.

use std::ops::Deref;
use std::sync::Arc;

use activity_log::Recorder;

use crate::access::Access;
use crate::attempts::Attempts;
use crate::database::Database;
use crate::sessions::Sessions;
use crate::users::Passwords;

/// Each request gets one, several times.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) recorder: Recorder,
    pub(crate) access: Access,
    pub(crate) sessions: Sessions,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) passwords: Passwords,
}

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
