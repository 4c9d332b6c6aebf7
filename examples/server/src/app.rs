//! What the handlers share.

use std::sync::Arc;

use crate::access::Access;
use crate::database::Database;
use crate::export::Exports;
use crate::live::Live;

/// Cheap to clone: each request gets one.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) live: Live,
    pub(crate) exports: Exports,
    pub(crate) access: Arc<Access>,
}

impl App {
    pub(crate) fn new(database: Database, live: Live, access: Access) -> Self {
        Self { database, live, exports: Exports::default(), access: Arc::new(access) }
    }
}
