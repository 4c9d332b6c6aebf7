//! SQLite, as the tests in `behaviour` use a database. Those tests depend on nothing else of SQLite.

use std::time::Duration;

pub(crate) use activity_log::{ActivityLogRepository, ActivityLogRow, NewActivityLogRow, run_migrations, schema};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::support::TestResult;

pub(crate) type Connection = SqliteConnection;

/// How many logs a property test tries.
pub(crate) const CASES: u32 = 200;

/// Whether entries become visible in the order of their `seq`, and those of one transaction at once to a walk.
pub(crate) const IS_IN_COMMIT_ORDER: bool = true;

/// Whether a host may add a unique index to the log.
pub(crate) const TAKES_UNIQUE_INDEXES: bool = true;

pub(crate) fn connect(url: &str) -> TestResult<Connection> {
    Ok(activity_log::connect(url)?)
}

/// A fresh database without a table.
pub(crate) fn empty_database() -> TestResult<Connection> {
    connect(":memory:")
}

/// A fresh, empty log.
pub(crate) fn empty_log() -> TestResult<Connection> {
    let mut conn = empty_database()?;
    run_migrations(&mut conn)?;
    Ok(conn)
}

/// An empty log for several connections or processes.
pub(crate) struct SharedLog {
    folder: tempfile::TempDir,
}

impl SharedLog {
    pub(crate) fn create() -> TestResult<Self> {
        let log = Self::without_table()?;
        run_migrations(&mut log.connect()?)?;
        Ok(log)
    }

    /// An empty database without the table, for servers that start on it.
    pub(crate) fn without_table() -> TestResult<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// The argument of [`connect`], valid in any process.
    pub(crate) fn url(&self) -> String {
        self.folder.path().join("log.db").display().to_string()
    }

    pub(crate) fn connect(&self) -> TestResult<Connection> {
        connect(&self.url())
    }

    /// Opens connections in another thread.
    pub(crate) fn connector(&self) -> impl FnMut() -> activity_log::Result<Connection> + Send + 'static {
        let url = self.url();
        move || activity_log::connect(&url)
    }
}

/// The `seq`s in the log, oldest first, read without the crate.
pub(crate) fn stored_seqs(conn: &mut Connection) -> TestResult<Vec<i64>> {
    use schema::activity_log;
    Ok(activity_log::table.select(activity_log::seq).order(activity_log::seq).load(conn)?)
}

/// Inserts rows as a program without the crate would: the actor is `clock`, and the rows are a minute apart.
pub(crate) fn insert_as_others_do(conn: &mut Connection, rows: i64) -> TestResult {
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT 'foreign ' || n, strftime('%Y-%m-%dT%H:%M:%S+00:00', n * 60, 'unixepoch'), \
             'system', 'tick', 'info', 'clock', 'Tick' FROM n"
    ))?;
    Ok(())
}

/// Columns with assignments of values that no entry can have.
pub(crate) const BREAKING_ASSIGNMENTS: [(&str, &str); 10] = [
    ("ts", "ts = 'yesterday'"),
    ("ts", "ts = ''"),
    ("ts", "ts = '2026-01-01T00:00:00'"),
    ("ts", "ts = 1767225600"),
    ("severity", "severity = 'fatal'"),
    ("severity", "severity = x'ff'"),
    ("metadata", "metadata = '{\"cut'"),
    ("metadata", "metadata = '[1, 2]'"),
    ("metadata", "metadata = ''"),
    ("metadata", "metadata = x'ff00'"),
];

/// Columns that take any text, although an entry has no text there.
pub(crate) const COLUMNS_OF_ANY_TEXT: [&str; 3] = ["ts", "severity", "metadata"];

/// Runs `work` in a transaction that sees the log as it was when it first read.
pub(crate) fn with_read_transaction<T>(
    conn: &mut Connection,
    work: impl FnOnce(&mut Connection) -> activity_log::Result<T>,
) -> activity_log::Result<T> {
    diesel::Connection::transaction(conn, work)
}

/// Runs `work` in a transaction that is ready to write.
pub(crate) fn with_write_transaction<T>(
    conn: &mut Connection,
    work: impl FnOnce(&mut Connection) -> activity_log::Result<T>,
) -> activity_log::Result<T> {
    conn.immediate_transaction(work)
}

/// Begins a transaction that every writer on another connection waits for.
pub(crate) fn hold_up_writers(conn: &mut Connection) -> TestResult {
    Ok(conn.batch_execute("BEGIN IMMEDIATE")?)
}

/// Limits how long the connection waits for others.
pub(crate) fn wait_at_most(conn: &mut Connection, longest: Duration) -> TestResult {
    Ok(conn.batch_execute(&format!("PRAGMA busy_timeout = {}", longest.as_millis()))?)
}

/// SQL that makes the database refuse entries of an actor with a message of the host's.
pub(crate) fn refusing_trigger(actor: &str, message: &str) -> String {
    format!(
        "CREATE TRIGGER refusing BEFORE INSERT ON activity_log WHEN NEW.actor = '{actor}' \
         BEGIN SELECT RAISE(ROLLBACK, '{message}'); END"
    )
}
