//! Helpers for the tests of a log in any database.

mod chance;
mod entries;
mod processes;
mod workers;

use activity_log::{ActivityLogEntry, ActivityLogFilters, Error};

use crate::database::{ActivityLogRepository, Connection};
pub(crate) use chance::{random, wait_up_to};
pub(crate) use entries::{TestResult, at, ndjson, numbered, numbers_keep_their_digits, read_back};
pub(crate) use processes::{parameters, process_of};
#[cfg(unix)]
pub(crate) use workers::{Worker, say};

/// Records the entries numbered 1 to `count`. In an empty log the `seq` of each entry is its number.
pub(crate) fn record_numbered(conn: &mut Connection, count: i64) -> TestResult {
    let entries = (1..=count).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(conn).record_all(&entries)?;
    Ok(())
}

/// Filters without any restriction.
pub(crate) fn everything() -> ActivityLogFilters {
    ActivityLogFilters::default()
}

/// The `seq`s of entries, in their order.
pub(crate) fn seqs(entries: &[ActivityLogEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.seq).collect()
}

/// An error in each of its printed forms.
pub(crate) fn printed(error: &Error) -> String {
    format!("{error} {error:?} {error:#?}")
}
