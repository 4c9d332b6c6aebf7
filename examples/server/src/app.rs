//! What the server's own handlers share.

use std::sync::Arc;

use crate::access::Access;
use crate::database::Database;

/// Cheap to clone: each request gets one.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) access: Arc<Access>,
}
