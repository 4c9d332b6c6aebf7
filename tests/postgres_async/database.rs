//! PostgreSQL through an async connection, as the tests in `behaviour` use a database.

use std::time::Duration;

use activity_log::postgres::run_migrations_async;
pub(crate) use activity_log::postgres::{ActivityLogRow, NewActivityLogRow, schema};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_async::async_connection_wrapper::BlockOn;

pub(crate) use crate::placement::TAKES_UNIQUE_INDEXES;
use crate::repository::Wait;
pub(crate) use crate::repository::{ActivityLogRepository, Connection};
use crate::server::new_schema;
pub(crate) use crate::server::{BREAKING_ASSIGNMENTS, COLUMNS_OF_ANY_TEXT, IS_IN_COMMIT_ORDER};
use crate::support::TestResult;

/// How many logs a property test tries. Over a blocking connection, which sends the same statements, it tries more.
pub(crate) const CASES: u32 = 40;

pub(crate) fn connect(url: &str) -> TestResult<Connection> {
    Ok(Connection::establish(url)?)
}

pub(crate) fn run_migrations(conn: &mut Connection) -> activity_log::Result<()> {
    Wait.block_on(run_migrations_async(conn))
}

/// A fresh schema without a table.
pub(crate) fn empty_database() -> TestResult<Connection> {
    connect(&new_schema()?)
}

/// A fresh, empty log.
pub(crate) fn empty_log() -> TestResult<Connection> {
    let mut conn = empty_database()?;
    run_migrations(&mut conn)?;
    Ok(conn)
}

/// An empty log for several connections or processes.
pub(crate) struct SharedLog {
    url: String,
}

impl SharedLog {
    pub(crate) fn create() -> TestResult<Self> {
        let log = Self::without_table()?;
        run_migrations(&mut log.connect()?)?;
        Ok(log)
    }

    /// An empty schema without the table, for servers that start on it.
    pub(crate) fn without_table() -> TestResult<Self> {
        Ok(Self { url: new_schema()? })
    }

    /// The argument of [`connect`], valid in any process.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn connect(&self) -> TestResult<Connection> {
        connect(&self.url)
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
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT 'foreign ' || n, timestamptz '1970-01-01Z' + n * interval '1 minute', \
             'system', 'tick', 'info', 'clock', 'Tick' FROM generate_series(1, {rows}) AS n"
    ))?;
    Ok(())
}

/// Runs `work` in a transaction that sees the log as it was when it first read.
pub(crate) fn with_read_transaction<T>(
    conn: &mut Connection,
    work: impl FnOnce(&mut Connection) -> activity_log::Result<T>,
) -> activity_log::Result<T> {
    diesel::Connection::transaction(conn, |conn| {
        conn.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        work(conn)
    })
}

/// Runs `work` in a transaction that is ready to write.
pub(crate) fn with_write_transaction<T>(
    conn: &mut Connection,
    work: impl FnOnce(&mut Connection) -> activity_log::Result<T>,
) -> activity_log::Result<T> {
    diesel::Connection::transaction(conn, work)
}

/// Begins a transaction that every writer on another connection waits for.
pub(crate) fn hold_up_writers(conn: &mut Connection) -> TestResult {
    Ok(conn.batch_execute("BEGIN; LOCK TABLE activity_log IN SHARE ROW EXCLUSIVE MODE")?)
}

/// Limits how long the connection waits for others.
pub(crate) fn wait_at_most(conn: &mut Connection, longest: Duration) -> TestResult {
    // Zero would mean without end.
    Ok(conn.batch_execute(&format!("SET lock_timeout = {}", longest.as_millis().max(1)))?)
}
