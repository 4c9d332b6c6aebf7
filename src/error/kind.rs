//! Whose fault an error is, and whether trying again helps.

use crate::error::Error;
use crate::error::recorder::RecorderError::{QueueFull, StillFull, Withdrawn};

impl Error {
    /// Whether the same call may succeed if it is made again a moment later, because another connection was in the way, or
    /// because the queue of a [`Recorder`](crate::Recorder) was full or the entry was withdrawn from it.
    ///
    /// Inside a transaction, the whole transaction has to be run again. A [`Full`](Self::Full) database is not
    /// retryable: someone has to make room first.
    ///
    /// Together with [`is_invalid_input`](Self::is_invalid_input), this tells a web server which status to return:
    ///
    /// ```
    /// use activity_log::{ActivityLogRepository, Error, NewActivityLogEntry};
    ///
    /// fn status(error: &Error) -> u16 {
    ///     match error {
    ///         Error::DuplicateId { .. } => 409,
    ///         error if error.is_invalid_input() => 400,
    ///         error if error.is_retryable() => 503,
    ///         _ => 500,
    ///     }
    /// }
    ///
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// let mut log = ActivityLogRepository::new(&mut conn);
    /// let entry = NewActivityLogEntry::new("auth", "user.signed_in", "x".repeat(2_000), "Signed in");
    /// assert_eq!(log.record(&entry).map_err(|error| status(&error)), Err(400));
    /// let entry = NewActivityLogEntry { actor: "alice".to_owned(), ..entry };
    /// log.record(&entry)?;
    /// assert_eq!(log.record(&entry).map_err(|error| status(&error)), Err(409));
    /// # Ok::<_, Error>(())
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Recorder(QueueFull | StillFull { .. } | Withdrawn))
    }

    /// Whether the input is at fault: an entry, its id, a filter, a query string, a retention policy, or a line of an
    /// export to restore.
    ///
    /// The message says what is wrong and quotes no value (at most the name of an unknown parameter), so it may be shown to
    /// whoever sent the input. The same input fails again.
    #[must_use]
    pub fn is_invalid_input(&self) -> bool {
        match self {
            Self::InvalidEntry { .. }
            | Self::DuplicateId { .. }
            | Self::InvalidFilter { .. }
            | Self::InvalidQuery { .. }
            | Self::InvalidPolicy { .. }
            | Self::UnreadableLine { .. } => true,
            Self::Database(_)
            | Self::Busy(_)
            | Self::Full(_)
            | Self::Connection(_)
            | Self::JournalMode { .. }
            | Self::Migration(_)
            | Self::ForeignTable { .. }
            | Self::NameTaken { .. }
            | Self::CannotCreate { .. }
            | Self::CannotFollow { .. }
            | Self::Reserve(_)
            | Self::UnreadableRow { .. }
            | Self::NotRewritten { .. }
            | Self::Worker(_)
            | Self::Recorder(_)
            | Self::RecorderThread(_)
            | Self::Output(_)
            | Self::Input(_) => false,
        }
    }

    /// Whether freeing space might help.
    pub(crate) fn is_out_of_space(&self) -> bool {
        match self {
            Self::Full(_) => true,
            #[cfg(feature = "sqlite")]
            Self::Database(error) => {
                crate::error::sqlite::may_be_full(crate::error::message::unclassified_message(error))
            }
            _ => false,
        }
    }
}
