mod from_diesel;
mod kind;
mod message;
#[cfg(any(feature = "postgres", feature = "postgres-async"))]
pub(crate) mod postgres;
pub(crate) mod recorder;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use crate::error::message::advice;
use crate::error::recorder::RecorderError;

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while the log is written or read.
///
/// It converts from [`diesel::result::Error`], so it can be the error type of a transaction:
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
    /// The database refused the statement or failed. Nothing has changed. (This holds for every error, except that
    /// `prune`, `apply_retention`, `rewrite`, `erase_actor` and `reclaim` work in steps and keep the steps already
    /// taken.)
    ///
    /// Inside a transaction, pass on this error, [`Busy`](Self::Busy) and [`Full`](Self::Full); never ignore them.
    /// After some of them, a full disk for one, the database has already rolled back the whole transaction, and the
    /// statements that follow would each be committed on their own.
    #[error("the activity log's database failed: {0}{advice}", advice = advice(.0))]
    Database(#[source] diesel::result::Error),

    /// Another connection held a lock for longer than the busy timeout, or at a moment when waiting cannot help.
    ///
    /// Nothing has changed, and trying again may succeed. Inside a transaction, try the whole transaction again. A
    /// transaction that reads before it writes fails at once if another connection has committed in between, because
    /// only a new transaction can see that commit. One that begins with `immediate_transaction` waits instead.
    #[error("the activity log's database is busy, try again: {0}")]
    Busy(#[source] diesel::result::Error),

    /// The disk, or the size that the database may have, is used up. Nothing has changed.
    ///
    /// [`prune`](crate::ActivityLogRepository::prune) makes room within the database. On a full disk it needs some room
    /// to begin with, which [`keep_reserve`](crate::keep_reserve) keeps for it.
    ///
    /// The database may have rolled back the caller's transaction as well. Diesel then reports its own failed rollback
    /// as the outcome of that transaction; the cause is this error, which the method returned inside. Two cases look
    /// different from what they are. If the index of the write-ahead log cannot grow, the error is a
    /// [`Database`](Self::Database) error that says "disk I/O error". And this error also appears when no `seq` is
    /// left, because a row written by another program has the greatest one.
    #[error("the activity log's database has no room left, prune it or free some disk: {0}")]
    Full(#[source] diesel::result::Error),

    /// The database could not be opened.
    #[error("the activity log's database could not be opened: {0}")]
    Connection(#[from] diesel::result::ConnectionError),

    /// The database was opened but cannot use a write-ahead log, which lets readers and a writer work side by side.
    #[error("the database keeps its journal in mode `{mode}` and cannot be switched to write-ahead logging")]
    JournalMode {
        /// The mode it stays in, as `PRAGMA journal_mode` names it.
        mode: String,
    },

    /// A migration failed. All migrations of that run are rolled back.
    #[error("the activity log's migrations failed: {0}")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// The database has a table `activity_log` that is not a log, such as the host's own. Nothing has changed.
    #[error("the table `activity_log` is not an activity log: {reason}; rename it to make room for the log")]
    ForeignTable {
        /// What it lacks.
        reason: String,
    },

    /// Another table of the database, or one of its indexes or triggers, has a name that the log needs. This happens
    /// after a former log was renamed, because its indexes keep their names. Nothing has changed.
    #[error(
        "the {kind} `{name}` belongs to `{table}`, and the log needs its name for `{needed_for}`; drop or rename it"
    )]
    NameTaken {
        /// What has the name, such as `index`, `trigger`, `table`, `sequence` or `view`.
        kind: String,
        /// The name.
        name: String,
        /// The table that it belongs to.
        table: String,
        /// The log's table that needs an object of this name.
        needed_for: String,
    },

    /// Something of the log cannot be created, because the role or the server does not allow it. Nothing has changed.
    #[error("{what} cannot be created: {reason}")]
    CannotCreate {
        /// What is missing.
        what: String,
        /// Why it cannot be created, and what to do about it.
        reason: String,
    },

    /// The log cannot be followed here, because it cannot be known which numbers are still to come. Pages, counts and
    /// exports are not affected.
    #[error("the activity log cannot be followed here: {reason}")]
    CannotFollow {
        /// Why not, and what to do instead.
        reason: String,
    },

    /// The reserve file of [`keep_reserve`](crate::keep_reserve) could not be written.
    #[error("the activity log's disk reserve failed: {0}")]
    Reserve(#[source] std::io::Error),

    /// An entry cannot be stored so that it reads back. Nothing was written.
    #[error("the entry at index {index} cannot be stored: `{field}` {reason}")]
    InvalidEntry {
        /// The entry's position in the slice given to `record_all`, counted from 0; 0 for `record`.
        index: usize,
        /// The field of [`NewActivityLogEntry`](crate::NewActivityLogEntry).
        field: &'static str,
        /// What is wrong with the field's value, and what is allowed.
        reason: String,
    },

    /// The log already holds an entry with this `id`. Nothing was written.
    #[error("the entry at index {index} cannot be stored: the log already holds an entry with its `id`")]
    DuplicateId {
        /// The entry's position in the slice given to `record_all`, counted from 0; 0 for `record`.
        index: usize,
    },

    /// A filter cannot be run.
    #[error("the filter cannot be run: `{field}` {reason}")]
    InvalidFilter {
        /// The field of [`ActivityLogFilters`](crate::ActivityLogFilters).
        field: &'static str,
        /// What is wrong with the field's value, and what is allowed.
        reason: String,
    },

    /// The query string of a URL cannot be read as filters.
    #[error("the query string cannot be read: `{parameter}` {reason}")]
    InvalidQuery {
        /// The parameter's name.
        parameter: String,
        /// What is wrong with the parameter, and what is allowed.
        reason: String,
    },

    /// A retention policy cannot be applied. Nothing was deleted.
    #[error("the retention policy cannot be applied: `{rule}` {reason}")]
    InvalidPolicy {
        /// The method of [`RetentionPolicy`](crate::RetentionPolicy) that adds the rule.
        rule: &'static str,
        /// What is wrong with the rule, and what is allowed.
        reason: String,
    },

    /// The thread of a [`RetentionWorker`](crate::RetentionWorker) could not be started, or a function that the host
    /// gave it panicked.
    #[error("the activity log's retention worker failed: {0}")]
    Worker(#[source] std::io::Error),

    /// A [`Recorder`](crate::Recorder) did not record, for a reason of its own. What the database refuses has the error
    /// that [`record`](crate::Repository::record) returns.
    #[error("the activity log's recorder did not record: {0}")]
    Recorder(#[from] RecorderError),

    /// The thread of a [`Recorder`](crate::Recorder) could not be started.
    #[error("the thread of the activity log's recorder could not be started: {0}")]
    RecorderThread(#[source] std::io::Error),

    /// A stored row that this crate did not write cannot be read as an entry.
    ///
    /// The rows around it can. Given its `seq` as the cursor, `query` and `page` continue with the older rows, and
    /// `query_after` continues with the newer ones. An export reports the row in its place and continues.
    #[error("the entry with seq {seq} cannot be read: its `{column}` {reason}")]
    UnreadableRow {
        /// The row's `seq`.
        seq: i64,
        /// The column whose value cannot be read.
        column: &'static str,
        /// What is wrong with the value.
        reason: String,
    },

    /// An entry could not be [rewritten](crate::Repository::rewrite) and is unchanged. All matching entries that could
    /// be rewritten were.
    #[error("the entry with seq {seq} cannot be rewritten: {reason}")]
    NotRewritten {
        /// The entry's `seq`.
        seq: i64,
        /// Why the entry could not be rewritten.
        reason: String,
    },

    /// An export or an archive cannot be written: the file, socket or other writer failed, not the database.
    #[error("the export or archive cannot be written: {0}")]
    Output(#[source] std::io::Error),

    /// An export cannot be read any further: the file or other reader failed.
    #[error("the exported entries cannot be read: {0}")]
    Input(#[source] std::io::Error),

    /// A line of an export cannot be read as an entry.
    ///
    /// [`read_ndjson`](crate::export::read_ndjson) reports the line in its place and continues with the next one.
    #[error("line {line} of the exported entries cannot be read: it {reason}")]
    UnreadableLine {
        /// The line's number, counted from 1, blank lines included.
        line: u64,
        /// What is wrong with the line and, where known, near which byte. It quotes nothing of the line.
        reason: String,
    },
}
