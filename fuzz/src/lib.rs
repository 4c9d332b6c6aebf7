//! Shared code of the fuzz targets: arbitrary values of the crate's types, the values that they should read back as,
//! and a naive model of the log.

use activity_log::{ActivityLogRepository, EntryLimits};
use diesel::SqliteConnection;

pub mod changes;
pub mod filters;
pub mod input;
pub mod model;
pub mod normal;
pub mod passes;

/// A repository without limits, which the model knows nothing about.
pub fn unlimited(conn: &mut SqliteConnection) -> ActivityLogRepository<'_> {
    ActivityLogRepository::new(conn).with_limits(EntryLimits::UNLIMITED).with_page_bytes(usize::MAX)
}
