use diesel::result::DatabaseErrorKind;

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while the log is written or read.
///
/// It converts from [`diesel::result::Error`], so that it can be the error of a transaction:
///
/// ```
/// # use diesel::prelude::*;
/// # let mut conn = activity_log::connect(":memory:")?;
/// conn.transaction::<_, activity_log::Error, _>(|conn| {
///     diesel::sql_query("CREATE TABLE devices (id TEXT)").execute(conn)?;
///     Ok(())
/// })?;
/// # Ok::<_, activity_log::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused or failed; what the statement would have changed is unchanged.
    #[error("the activity log's database failed: {0}")]
    Database(#[from] diesel::result::Error),

    /// The database could not be opened.
    #[error("the activity log's database could not be opened: {0}")]
    Connection(#[from] diesel::result::ConnectionError),

    /// The database was opened, but refuses write-ahead logging, which readers and writers need to get along.
    #[error("the database keeps its journal in mode `{mode}` and cannot be switched to write-ahead logging")]
    JournalMode {
        /// The mode it stays in, as `PRAGMA journal_mode` names it.
        mode: String,
    },

    /// A migration could not be run; the migrations of that run are all rolled back.
    #[error("the activity log's migrations failed: {0}")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// An entry cannot be stored so that it reads back. Nothing was written.
    #[error("entry {index} cannot be stored: `{field}` {reason}")]
    InvalidEntry {
        /// Its place in the slice given to `record_all`, counted from 0; 0 for `record`.
        index: usize,
        /// The field of [`NewActivityLogEntry`](crate::NewActivityLogEntry).
        field: &'static str,
        /// What is wrong with the field's value, and what would be accepted.
        reason: String,
    },

    /// The log already holds an entry with this `id`. Nothing was written.
    #[error("entry {index} cannot be stored: its `id` is taken by another entry in the log")]
    DuplicateId {
        /// Its place in the slice given to `record_all`, counted from 0; 0 for `record`.
        index: usize,
    },

    /// A filter cannot be run.
    #[error("the filter cannot be run: `{field}` {reason}")]
    InvalidFilter {
        /// The field of [`ActivityLogFilters`](crate::ActivityLogFilters).
        field: &'static str,
        /// What is wrong with the field's value, and what would be accepted.
        reason: String,
    },

    /// A stored row, which this crate did not write, cannot be read as an entry.
    ///
    /// The rows around it can: page past it with `before_seq` set to its `seq`, or export, which reports it in its
    /// place and goes on.
    #[error("the entry with seq {seq} cannot be read: its `{column}` {reason}")]
    UnreadableRow {
        /// The row's `seq`.
        seq: i64,
        /// The column whose value cannot be read.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Whether another connection held the database's lock for longer than the busy timeout.
    ///
    /// What was asked for did not happen, and may succeed when it is asked for again.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Database(error) if is_busy(error))
    }
}

/// Diesel has no kind for SQLite's `SQLITE_BUSY`: only its fixed message tells.
pub(crate) fn is_busy(error: &diesel::result::Error) -> bool {
    use diesel::result::Error::DatabaseError;
    matches!(error, DatabaseError(DatabaseErrorKind::Unknown, information)
        if information.message() == "database is locked")
}
