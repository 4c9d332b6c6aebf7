use diesel::result::DatabaseErrorKind;
use diesel::result::Error::{DatabaseError, RollbackErrorOnCommit};

/// What SQLite says of `SQLITE_BUSY`.
pub(crate) const LOCKED: &str = "database is locked";
/// What SQLite says of `SQLITE_FULL`.
pub(crate) const FULL: &str = "database or disk is full";

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
    /// The database refused or failed; what the call would have changed is unchanged (here as below, but for `prune` and
    /// `reclaim`, which work step by step).
    ///
    /// Inside a transaction this and the two errors below must be passed on, never ignored: on some, a full disk among
    /// them, SQLite has rolled the whole transaction back by then, and what follows would be committed by itself.
    #[error("the activity log's database failed: {0}")]
    Database(#[source] diesel::result::Error),

    /// Another connection's lock was in the way, for longer than the busy timeout or at the wrong moment.
    ///
    /// What was asked for did not happen, and may succeed when it is asked for again. Inside a transaction that is the
    /// whole transaction: one that began by reading and then writes fails at once where another connection has
    /// committed in between, and only a new one sees what that committed. One that begins with
    /// [`immediate_transaction`](diesel::SqliteConnection::immediate_transaction) waits instead.
    #[error("the activity log's database is busy, try again: {0}")]
    Busy(#[source] diesel::result::Error),

    /// The disk, or the size that the database may have, is used up; what the call would have changed is unchanged.
    ///
    /// [`prune`](crate::ActivityLogRepository::prune) makes room within the database; on a full disk it needs some to
    /// begin with, which [`keep_reserve`](crate::keep_reserve) keeps for it.
    ///
    /// SQLite may have rolled back the caller's transaction as well. Diesel then reports, as the outcome of that
    /// transaction, its own rollback that found none: this error is what `record` returned inside. Two more things look
    /// different from what they are: where the index of SQLite's log cannot grow, in the file `-shm`, SQLite says "disk
    /// I/O error", which is a [`Database`](Self::Database) error; and this error also comes when the numbers for `seq`
    /// are used up, because a foreign row has the last one.
    #[error("the activity log's database has no room left, prune it or free some disk: {0}")]
    Full(#[source] diesel::result::Error),

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

    /// The reserve of [`keep_reserve`](crate::keep_reserve) cannot be written.
    #[error("the activity log's disk reserve failed: {0}")]
    Reserve(#[source] std::io::Error),

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

    /// What is exported cannot be written: the file, socket or other writer failed, not the database.
    #[error("the export cannot be written: {0}")]
    Output(#[source] std::io::Error),

    /// What is to be restored cannot be read any further: the file or other reader failed.
    #[error("the exported entries cannot be read: {0}")]
    Input(#[source] std::io::Error),

    /// A line of an export cannot be read as an entry.
    ///
    /// [`read_ndjson`](crate::export::read_ndjson) reports it in its place and goes on with the next line.
    #[error("line {line} of the exported entries cannot be read: it {reason}")]
    UnreadableLine {
        /// Its number, counted from 1, blank lines too.
        line: u64,
        /// What is wrong with it and, where that is known, near which byte of it: without what stands there.
        reason: String,
    },
}

impl Error {
    /// Whether room might help: SQLite calls it a failure of the disk when the index of its log cannot grow.
    pub(crate) fn may_be_for_want_of_room(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Database(DatabaseError(DatabaseErrorKind::Unknown, information)) => {
                information.message() == "disk I/O error"
            }
            _ => false,
        }
    }
}

impl From<diesel::result::Error> for Error {
    /// Diesel has no kind for `SQLITE_BUSY`, `SQLITE_LOCKED` and `SQLITE_FULL`: only their fixed messages tell.
    fn from(error: diesel::result::Error) -> Self {
        let cause = match &error {
            RollbackErrorOnCommit { commit_error, .. } => commit_error,
            other => other,
        };
        let message = match cause {
            DatabaseError(DatabaseErrorKind::Unknown, information) => information.message(),
            _ => "",
        };
        match message {
            LOCKED => Self::Busy(error),
            // With the name of the table, where SQLite knows it.
            message if message.starts_with("database table is locked") => Self::Busy(error),
            message if message.starts_with("database schema is locked") => Self::Busy(error),
            FULL => Self::Full(error),
            _ => Self::Database(error),
        }
    }
}
