//! What the messages of Diesel's errors tell.

use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;

/// What to do about an error of the database, where that is known.
pub(crate) fn advice(error: &diesel::result::Error) -> &'static str {
    #[cfg(feature = "sqlite")]
    if crate::error::sqlite::is_missing(unclassified_message(error)) {
        return "; the log is not there or incomplete: run its migrations first";
    }
    #[cfg(any(feature = "postgres", feature = "postgres-async"))]
    if crate::error::postgres::is_missing(unclassified_message(error)) {
        return "; the log is not there or incomplete: run its migrations first";
    }
    let _ = error;
    ""
}

/// The message of an error that Diesel has no kind for; empty for any other.
pub(crate) fn unclassified_message(error: &diesel::result::Error) -> &str {
    match error {
        DatabaseError(DatabaseErrorKind::Unknown, information) => information.message(),
        _ => "",
    }
}
