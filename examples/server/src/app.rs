//! What the server's own handlers share.

use std::sync::Arc;

use activity_log::Recorder;

use crate::access::Access;
use crate::attempts::Attempts;
use crate::database::Database;
use crate::sessions::Sessions;
use crate::users::Passwords;

/// Cheap to clone: each request gets one.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) recorder: Recorder,
    pub(crate) access: Arc<Access>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) passwords: Arc<Passwords>,
}
