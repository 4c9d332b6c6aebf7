//! What needs no database: the types, the files that exports are written to, and the page of guarantees.

#[cfg(feature = "csv")]
mod csv;
mod guarantees;
mod ndjson_reading;
mod ndjson_writing;
mod public_types;
#[path = "../support/entries.rs"]
mod support;

use activity_log::ActivityLogEntry;
use support::{numbered, read_back};

/// The entries numbered 1 to `count`, as they are read.
fn entries(count: i64) -> impl Iterator<Item = activity_log::Result<ActivityLogEntry>> {
    (1..=count).map(|number| Ok(read_back(numbered(number), number)))
}
