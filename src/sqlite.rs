//! What is SQLite's own: its limits, functions and settings.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error::{DatabaseError, RollbackTransaction};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::error::LOCKED;
use crate::{Error, Result};

/// `SQLITE_MAX_LIKE_PATTERN_LENGTH`.
pub(crate) const LIKE_PATTERN_MAX_BYTES: usize = 50_000;

/// `SQLITE_MAX_VARIABLE_NUMBER` is 32,766; the other filters and the page need a few.
pub(crate) const LIST_MAX_VALUES: usize = 32_000;

const WITHIN_ANOTHER: &str = "cannot start a transaction within a transaction";

/// About as long as a writer that records without a pause leaves the lock free between two commits.
const RETRY_INTERVAL: Duration = Duration::from_micros(100);

#[diesel::declare_sql_function]
extern "SQL" {
    /// The rowid of the connection's last insert.
    fn last_insert_rowid() -> BigInt;
    /// Where `part` starts in `whole`, counted from 1, or 0.
    fn instr(whole: Text, part: Text) -> Integer;
    /// ASCII letters in lower case, all others as they are.
    fn lower(text: Text) -> Text;
    /// The text, or another in the place of NULL.
    #[sql_name = "coalesce"]
    fn text_or(text: Nullable<Text>, other: Text) -> Text;
    /// The sum, as a whole number; NULL of none.
    #[aggregate]
    fn sum(number: BigInt) -> Nullable<BigInt>;
}

/// The first rows of a query, so many at most.
///
/// For Diesel's own `LIMIT ?` SQLite prepares the statement anew each time, to plan with the number; not so for an
/// expression.
#[derive(QueryId)]
pub(crate) struct AtMost<Q> {
    pub(crate) rows: i64,
    pub(crate) of: Q,
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for AtMost<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.of.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT +");
        out.push_bind_param::<BigInt, _>(&self.rows)
    }
}

impl<Q: Query> Query for AtMost<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<SqliteConnection> for AtMost<Q> {}

/// How many rows a query gives, its limit included, which Diesel's own `count` leaves behind.
#[derive(QueryId)]
pub(crate) struct CountOf<Q>(pub(crate) Q);

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for CountOf<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT COUNT(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

impl<Q> Query for CountOf<Q> {
    type SqlType = BigInt;
}

impl<Q> RunQueryDsl<SqliteConnection> for CountOf<Q> {}

/// What two queries for one number each give together; one that gives NULL adds nothing.
#[derive(QueryId)]
pub(crate) struct SumOf<P, Q>(pub(crate) P, pub(crate) Q);

impl<P: QueryFragment<Sqlite>, Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for SumOf<P, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT coalesce((");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql("), 0) + coalesce((");
        self.1.walk_ast(out.reborrow())?;
        out.push_sql("), 0)");
        Ok(())
    }
}

impl<P, Q> Query for SumOf<P, Q> {
    type SqlType = BigInt;
}

impl<P, Q> RunQueryDsl<SqliteConnection> for SumOf<P, Q> {}

/// Whether the database has a table or a trigger of this name.
pub(crate) fn has(conn: &mut SqliteConnection, name: &str) -> QueryResult<bool> {
    diesel::select(exists(sqlite_master::table.filter(sqlite_master::name.eq(name)))).get_result(conn)
}

diesel::table! {
    /// Everything that the database consists of, by the name that older versions know as well.
    sqlite_master (name) {
        name -> Text,
        sql -> Nullable<Text>,
    }
}

/// Does `work` without a trigger, if it is there, in a transaction of the caller's.
pub(crate) fn without_trigger<T>(
    conn: &mut SqliteConnection,
    name: &str,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let created = sqlite_master::table.filter(sqlite_master::name.eq(name)).select(sqlite_master::sql);
    let created = created.get_result::<Option<String>>(conn).optional()?.flatten();
    if created.is_some() {
        conn.batch_execute(&format!("DROP TRIGGER {name}"))?;
    }
    let value = work(conn)?;
    if let Some(created) = created {
        conn.batch_execute(&created)?;
    }
    Ok(value)
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// Asks for write-ahead logging, and returns the mode that the database is in then.
pub(crate) fn ask_for_wal(conn: &mut SqliteConnection) -> QueryResult<String> {
    diesel::sql_query("PRAGMA journal_mode = WAL").get_result::<JournalMode>(conn).map(|row| row.journal_mode)
}

#[derive(QueryableByName)]
struct BusyTimeout {
    #[diesel(sql_type = BigInt)]
    timeout: i64,
}

/// How long the connection waits for a lock that another one holds.
pub(crate) fn busy_timeout(conn: &mut SqliteConnection) -> QueryResult<Duration> {
    let row = diesel::sql_query("PRAGMA busy_timeout").get_result::<BusyTimeout>(conn)?;
    Ok(Duration::from_millis(row.timeout.unsigned_abs()))
}

/// Sets how long the connection waits, cut to milliseconds.
pub(crate) fn set_busy_timeout(conn: &mut SqliteConnection, timeout: Duration) -> QueryResult<()> {
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", timeout.as_millis()))
}

/// Whether the connection is inside a transaction that was begun through Diesel.
pub(crate) fn in_transaction(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let status = <SqliteConnection as Connection>::TransactionManager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.is_some())
}

/// Runs `work` in the caller's transaction, or in one that has the lock from its beginning.
pub(crate) fn in_one_transaction<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let mut failure = None;
    let work = |conn: &mut SqliteConnection| {
        work(conn).map_err(|error| {
            failure = Some(error);
            RollbackTransaction
        })
    };
    let outcome = if in_transaction(conn)? { conn.transaction(work) } else { conn.immediate_transaction(work) };
    // Where SQLite has rolled back by itself, as on a full disk, `outcome` says only that Diesel no longer could.
    match failure {
        Some(error) => Err(error),
        None => Ok(outcome?),
    }
}

/// Runs `work`, which only reads, on the database as it is at one moment, whatever others write meanwhile.
pub(crate) fn in_one_snapshot<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    if in_transaction(conn)? {
        return work(conn);
    }
    let mut work = Some(work);
    let outcome = conn.transaction(|conn| work.take().map_or(Err(Error::from(RollbackTransaction)), |work| work(conn)));
    match work {
        // It was begun as SQL text, of which Diesel knows nothing.
        Some(work) if outcome.as_ref().is_err_and(is_within_another) => work(conn),
        _ => outcome,
    }
}

fn is_within_another(error: &Error) -> bool {
    matches!(error, Error::Database(DatabaseError(_, information)) if information.message() == WITHIN_ANOTHER)
}

/// Runs `work` with SQLite's own waiting switched off; it gets the busy timeout, to wait by its own means.
pub(crate) fn without_waiting<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection, Duration) -> Result<T>,
) -> Result<T> {
    let busy_timeout = busy_timeout(conn)?;
    set_busy_timeout(conn, Duration::ZERO)?;
    let outcome = work(conn, busy_timeout);
    let restored = set_busy_timeout(conn, busy_timeout);
    let value = outcome?;
    restored?;
    Ok(value)
}

/// Tries again and again while another connection holds the lock, up to `patience` in all.
///
/// SQLite's own waiting backs off to 100 ms and so hardly ever meets the moment in which a busy writer lets go; and a
/// change of the journal mode does not wait at all.
pub(crate) fn while_busy<T>(patience: Duration, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        match attempt() {
            Err(Error::Busy(error)) if is_locked(&error) && started.elapsed() < patience => sleep(RETRY_INTERVAL),
            outcome => return outcome,
        }
    }
}

/// Whether another connection has the lock. A table can also be locked by the connection itself, and stays so.
fn is_locked(error: &diesel::result::Error) -> bool {
    matches!(error, DatabaseError(_, information) if information.message() == LOCKED)
}

/// Writes; where SQLite has waited its busy timeout in vain, as beside many that write without a pause, tries on by its
/// own means as long again. A caller's transaction is the caller's to begin anew.
pub(crate) fn persistently<T>(
    conn: &mut SqliteConnection,
    mut write: impl FnMut(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    match write(conn) {
        Err(Error::Busy(_)) if !in_transaction(conn)? => {
            without_waiting(conn, |conn, busy_timeout| while_busy(busy_timeout, || write(conn)))
        }
        outcome => outcome,
    }
}

#[derive(QueryableByName)]
struct Space {
    #[diesel(sql_type = BigInt)]
    auto_vacuum: i64,
    #[diesel(sql_type = BigInt)]
    page_size: i64,
    #[diesel(sql_type = BigInt)]
    page_count: i64,
    #[diesel(sql_type = BigInt)]
    freelist_count: i64,
}

/// How a database's file is filled.
pub(crate) struct FileSpace {
    /// Whether free pages can be given back without rewriting the file.
    pub(crate) incremental_vacuum: bool,
    /// Bytes a page.
    pub(crate) page_size: i64,
    /// Pages, the free ones included; 0 before the first write.
    pub(crate) pages: i64,
    /// Pages that hold nothing.
    pub(crate) free_pages: i64,
}

pub(crate) fn file_space(conn: &mut SqliteConnection) -> QueryResult<FileSpace> {
    let space = "SELECT * FROM pragma_auto_vacuum, pragma_page_size, pragma_page_count, pragma_freelist_count";
    let Space { auto_vacuum, page_size, page_count, freelist_count } = diesel::sql_query(space).get_result(conn)?;
    Ok(FileSpace { incremental_vacuum: auto_vacuum == 2, page_size, pages: page_count, free_pages: freelist_count })
}

#[derive(QueryableByName)]
struct DatabaseFile {
    #[diesel(sql_type = Nullable<Text>)]
    file: Option<String>,
}

/// The file of the database; `None` when it is in memory.
pub(crate) fn database_file(conn: &mut SqliteConnection) -> QueryResult<Option<PathBuf>> {
    let main = diesel::sql_query("SELECT file FROM pragma_database_list WHERE name = 'main'");
    let file = main.get_result::<DatabaseFile>(conn)?.file;
    Ok(file.filter(|file| !file.is_empty()).map(PathBuf::from))
}

/// Writes what the write-ahead log holds into the file and empties it, as far as that waits for nobody.
pub(crate) fn checkpoint(conn: &mut SqliteConnection) -> Result<()> {
    // The first does the work and takes no lock that a writer wants; the second has little left to do under one.
    without_waiting(conn, |conn, _| {
        Ok(conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE);")?)
    })
}
