//! PostgreSQL, as the tests in `behaviour` use a database. Those tests depend on nothing else of PostgreSQL.

use std::time::Duration;

pub(crate) use activity_log::postgres::{ActivityLogRepository, ActivityLogRow, NewActivityLogRow, schema};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

pub(crate) use crate::placement::{TAKES_UNIQUE_INDEXES, run_migrations};
use crate::server::new_schema;
pub(crate) use crate::server::{BREAKING_ASSIGNMENTS, COLUMNS_OF_ANY_TEXT, IS_IN_COMMIT_ORDER};
use crate::support::TestResult;

pub(crate) type Connection = PgConnection;

/// How many logs a property test tries.
pub(crate) const CASES: u32 = 100;

pub(crate) fn connect(url: &str) -> TestResult<Connection> {
    Ok(PgConnection::establish(url)?)
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

    /// Opens connections in another thread.
    pub(crate) fn connector(&self) -> impl FnMut() -> activity_log::Result<Connection> + Send + 'static {
        let url = self.url();
        move || Ok(PgConnection::establish(&url)?)
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
    conn.build_transaction().repeatable_read().run(work)
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

/// SQL that makes the database refuse entries of an actor with a message of the host's.
pub(crate) fn refusing_trigger(actor: &str, message: &str) -> String {
    format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION '{message}'; END $$; \
         CREATE TRIGGER refusing BEFORE INSERT ON activity_log FOR EACH ROW WHEN (NEW.actor = '{actor}') \
         EXECUTE FUNCTION refuse()"
    )
}
