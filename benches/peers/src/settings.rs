//! The settings of every connection, whichever competitor opened it: those of `activity_log::connect`.

use crate::peer::{BenchResult, Peer};

/// The first migration of the crate, without the later ones.
pub(crate) const SCHEMA: &str = include_str!("../../../migrations/0000-activity-log-0001_create_activity_log/up.sql");

/// SQLite's default, set explicitly.
pub(crate) const CACHE_SIZE: &str = "-2000";

/// Each setting as SQLite reports it on the connection.
const REPORT: &str = "SELECT 'journal_mode = ' || journal_mode || ', synchronous = ' || synchronous \
    || ', cache_size = ' || cache_size || ', busy_timeout = ' || timeout || ', foreign_keys = ' || foreign_keys \
    || ', auto_vacuum = ' || auto_vacuum || ', page_size = ' || page_size || ', temp_store = ' || temp_store \
    FROM pragma_journal_mode, pragma_synchronous, pragma_cache_size, pragma_busy_timeout, pragma_foreign_keys, \
    pragma_auto_vacuum, pragma_page_size, pragma_temp_store";

/// The settings in the form that [`REPORT`] prints.
pub(crate) const EXPECTED: &str = "journal_mode = wal, synchronous = 2, cache_size = -2000, busy_timeout = 5000, \
    foreign_keys = 1, auto_vacuum = 2, page_size = 4096, temp_store = 0";

/// Fails unless the connection has the common settings.
pub(crate) fn check(name: &str, peer: &mut dyn Peer) -> BenchResult {
    match peer.text(REPORT)? {
        found if found == EXPECTED => Ok(()),
        found => Err(format!("{name} has {found}, but all connections must have {EXPECTED}").into()),
    }
}
