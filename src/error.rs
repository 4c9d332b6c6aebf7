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
    /// The database refused or failed; what the call would have changed is unchanged.
    ///
    /// Inside a transaction it must be passed on, never ignored: on some errors, a full disk among them, SQLite has
    /// rolled the whole transaction back by then, and what follows would be committed by itself.
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
    /// The rows around it can: with its `seq` as the cursor, `query` and `page` go on with the older ones, and
    /// `query_after` with the newer ones, which that page held before it. An export reports it in its place and goes on.
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
    /// Whether another connection's lock was in the way, for longer than the busy timeout or at the wrong moment.
    ///
    /// What was asked for did not happen, and may succeed when it is asked for again. Inside a transaction that is the
    /// whole transaction: one that began by reading and then writes fails at once where another connection has
    /// committed in between, and only a new one sees what that committed. One that begins with
    /// [`immediate_transaction`](diesel::SqliteConnection::immediate_transaction) waits instead.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Database(error) => is_busy(error),
            Self::Migration(error) => error.downcast_ref().is_some_and(is_busy),
            _ => false,
        }
    }
}

/// Diesel has no kind for SQLite's `SQLITE_BUSY` and `SQLITE_LOCKED`: only their messages tell.
pub(crate) fn is_busy(error: &diesel::result::Error) -> bool {
    use diesel::result::Error::DatabaseError;
    matches!(error, DatabaseError(DatabaseErrorKind::Unknown, information)
        if ["database is locked", "database table is locked", "database schema is locked"]
            .iter()
            .any(|message| information.message().starts_with(message)))
}
