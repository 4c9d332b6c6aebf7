//! What PostgreSQL's errors mean. Diesel tells a few kinds apart. For the others there is only PostgreSQL's message, which is
//! in English unless the server has been told otherwise (`lc_messages`).

use diesel::result::DatabaseErrorKind;
use diesel::result::Error::{self, BrokenTransactionManager, DatabaseError};

/// Whether trying again may succeed, because another transaction or the connection was in the way.
pub(super) fn is_transient(error: &Error) -> bool {
    match error {
        DatabaseError(kind, _) => matches!(
            kind,
            DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
        ),
        // What Diesel answers once it has noticed that the connection is lost.
        BrokenTransactionManager => true,
        _ => false,
    }
}

/// Whether a lock was in the way, or the server is starting or stopping.
pub(crate) fn is_busy(message: &str) -> bool {
    const MESSAGES: [&str; 8] = [
        LOCK_TIMEOUT,
        "could not obtain lock on",
        "deadlock detected",
        "terminating connection due to",
        "server closed the connection unexpectedly",
        "the database system is",
        "sorry, too many clients already",
        "remaining connection slots are reserved",
    ];
    MESSAGES.iter().any(|text| message.starts_with(text))
}

/// Whether the statement waited for a lock for as long as it may.
pub(crate) fn is_lock_timeout(error: &Error) -> bool {
    matches!(error, DatabaseError(_, information) if information.message() == LOCK_TIMEOUT)
}

/// The message of a statement that waited for a lock for as long as it may.
const LOCK_TIMEOUT: &str = "canceling statement due to lock timeout";

/// Whether the statement was canceled, by its timeout or by an operator.
pub(crate) fn is_canceled(message: &str) -> bool {
    message.starts_with("canceling statement due to")
}

/// Whether the disk is used up.
pub(crate) fn is_full(message: &str) -> bool {
    message.starts_with("could not extend file")
        || message.ends_with("No space left on device")
        || message.ends_with("Disk quota exceeded")
}

/// Whether a table or a column of the log does not exist.
pub(super) fn is_missing(message: &str) -> bool {
    ["relation \"activity_log", "column \"activity_log"].iter().any(|text| message.starts_with(text))
        && message.ends_with("does not exist")
}

/// Whether Citus could not learn from a worker whether it has committed.
pub(crate) fn is_of_another_server(error: &Error) -> bool {
    let DatabaseError(DatabaseErrorKind::Unknown, information) = error else { return false };
    ["could not commit transaction for shard", "failure on connection"]
        .iter()
        .any(|text| information.message().starts_with(text))
}
