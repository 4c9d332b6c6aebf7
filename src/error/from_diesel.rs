//! What an error of Diesel's means for the log.

use diesel::result::Error::{DeserializationError, RollbackErrorOnCommit};

use crate::error::Error;
use crate::error::message::unclassified_message;

impl From<diesel::result::Error> for Error {
    /// Unwraps an error of this crate that passed through Diesel, such as the error of a row loaded as an
    /// [`ActivityLogEntry`](crate::ActivityLogEntry).
    fn from(error: diesel::result::Error) -> Self {
        let error = match error {
            DeserializationError(error) => match error.downcast::<Self>() {
                Ok(error) => return *error,
                Err(error) => DeserializationError(error),
            },
            other => other,
        };
        let cause = match &error {
            RollbackErrorOnCommit { commit_error, .. } => commit_error,
            other => other,
        };
        let message = unclassified_message(cause);
        #[cfg(feature = "sqlite")]
        if crate::error::sqlite::is_busy(message) {
            return Self::Busy(error);
        } else if crate::error::sqlite::is_full(message) {
            return Self::Full(error);
        }
        #[cfg(any(feature = "postgres", feature = "postgres-async"))]
        if crate::error::postgres::is_transient(cause) || crate::error::postgres::is_busy(message) {
            return Self::Busy(error);
        } else if crate::error::postgres::is_full(message) {
            return Self::Full(error);
        }
        Self::Database(error)
    }
}
