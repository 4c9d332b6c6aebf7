//! What SQLite's messages mean: Diesel reports `SQLITE_BUSY`, `SQLITE_LOCKED` and `SQLITE_FULL` as errors of unknown kind,
//! so only SQLite's fixed English messages tell them apart.

/// The message of `SQLITE_BUSY`.
pub(crate) const LOCKED: &str = "database is locked";
/// The message of `SQLITE_FULL`.
pub(crate) const FULL: &str = "database or disk is full";
/// The message of a BEGIN inside a transaction.
pub(crate) const NESTED_TRANSACTION: &str = "cannot start a transaction within a transaction";
/// The message of `SQLITE_IOERR`.
const DISK_FAILURE: &str = "disk I/O error";

/// Whether a lock was in the way, of another connection or of a statement on the same one.
pub(super) fn is_busy(message: &str) -> bool {
    // SQLite appends the table's name where it knows it.
    message == LOCKED
        || message.starts_with("database table is locked")
        || message.starts_with("database schema is locked")
}

/// Whether the disk, or the size that the database may have, is used up.
pub(super) fn is_full(message: &str) -> bool {
    message == FULL
}

/// Whether a table or a column of the log does not exist.
pub(super) fn is_missing(message: &str) -> bool {
    let named = ["no such table: ", "no such column: "].into_iter().find_map(|prefix| message.strip_prefix(prefix));
    named.is_some_and(|name| name.strip_prefix("main.").unwrap_or(name).starts_with("activity_log"))
}

/// Whether freeing space might help: SQLite reports a disk failure when the index of its log cannot grow.
pub(super) fn may_be_full(message: &str) -> bool {
    is_full(message) || message == DISK_FAILURE
}
