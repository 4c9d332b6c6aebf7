//! The tests that need no database: the types, the export files and the guarantees page.

mod changes;
mod changes_properties;
mod context;
mod context_futures;
#[cfg(feature = "csv")]
mod csv;
mod error_kinds;
mod filter_query;
mod guarantees;
mod json;
mod ndjson_reading;
mod ndjson_writing;
mod public_types;
#[path = "../support/entries.rs"]
mod support;
#[cfg(feature = "tower")]
mod tower_layer;

use activity_log::ActivityLogEntry;
use support::{numbered, read_back};

/// The entries numbered 1 to `count`, as the log returns them.
fn entries(count: i64) -> impl Iterator<Item = activity_log::Result<ActivityLogEntry>> {
    (1..=count).map(|number| Ok(read_back(numbered(number), number)))
}
