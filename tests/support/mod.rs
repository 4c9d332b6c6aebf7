//! What the tests share: databases of their own, fixed entries, and the plans of what the repository really runs.

#![expect(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod kinds;

use std::error::Error;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use serde_json::Value;

/// A test fails with whatever error it meets.
pub(crate) type TestResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// An empty log in memory.
pub(crate) fn empty_log() -> TestResult<SqliteConnection> {
    let mut conn = activity_log::connect(":memory:")?;
    activity_log::run_migrations(&mut conn)?;
    Ok(conn)
}

/// An empty table of another origin, not yet adopted, which allows NULL nearly everywhere.
pub(crate) fn older_log() -> TestResult<SqliteConnection> {
    let mut conn = activity_log::connect(":memory:")?;
    conn.batch_execute(
        "CREATE TABLE activity_log ( \
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, ts TEXT, category TEXT, action TEXT, \
            severity TEXT, actor TEXT, entity_type TEXT, entity_id TEXT, entity_name TEXT, message TEXT, \
            metadata TEXT DEFAULT '{}')",
    )?;
    Ok(conn)
}

/// An empty log in a file, for more than one connection.
pub(crate) struct LogFile {
    folder: tempfile::TempDir,
}

impl LogFile {
    pub(crate) fn create() -> TestResult<Self> {
        let file = Self { folder: tempfile::tempdir()? };
        activity_log::run_migrations(&mut file.connect()?)?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> String {
        self.folder.path().join("log.db").display().to_string()
    }

    pub(crate) fn connect(&self) -> TestResult<SqliteConnection> {
        Ok(activity_log::connect(&self.path())?)
    }
}

/// The instant that an RFC 3339 text names.
pub(crate) fn at(text: &str) -> TestResult<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(text).map_err(|error| format!("{text}: {error}"))?.to_utc())
}

/// The `number`th of a row of entries, a minute apart, that differ in their number alone.
pub(crate) fn numbered(number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry::new("system", "tick", "clock", format!("Tick {number}"))
        .id(format!("al_{number:08x}"))
        .ts(DateTime::UNIX_EPOCH + TimeDelta::minutes(number))
}

/// Records the entries numbered 1 to `count`, which get the same numbers as their `seq` in an empty log.
pub(crate) fn record_numbered(conn: &mut SqliteConnection, count: i64) -> TestResult {
    let entries = (1..=count).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(conn).record_all(&entries)?;
    Ok(())
}

/// What an entry recorded as `seq` reads back as.
pub(crate) fn read_back(entry: NewActivityLogEntry, seq: i64) -> ActivityLogEntry {
    let NewActivityLogEntry {
        id,
        ts,
        category,
        action,
        severity,
        actor,
        entity_type,
        entity_id,
        entity_name,
        message,
        metadata,
    } = entry;
    ActivityLogEntry {
        seq,
        id,
        ts,
        category,
        action,
        severity,
        actor,
        entity_type,
        entity_id,
        entity_name,
        message,
        metadata,
    }
}

/// The entries numbered 1 to `count`, as they are read.
pub(crate) fn entries(count: i64) -> impl Iterator<Item = activity_log::Result<ActivityLogEntry>> {
    (1..=count).map(|number| Ok(read_back(numbered(number), number)))
}

/// No restriction.
pub(crate) fn everything() -> ActivityLogFilters {
    ActivityLogFilters::default()
}

/// The `seq`s of entries, in their order.
pub(crate) fn seqs(entries: &[ActivityLogEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.seq).collect()
}

/// The `seq`s that are in the log, oldest first, read without the crate.
pub(crate) fn stored_seqs(conn: &mut SqliteConnection) -> TestResult<Vec<i64>> {
    use activity_log::schema::activity_log;
    Ok(activity_log::table.select(activity_log::seq).order(activity_log::seq).load(conn)?)
}

/// This program, to be run in a process of its own with the one test, an ignored one; its input and output are the
/// caller's.
pub(crate) fn process_of(test: &str) -> TestResult<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", test, "--ignored"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command)
}

/// The path and the number that the first line of such a process's input gives, as `number path`.
pub(crate) fn parameters() -> TestResult<(String, i64)> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let (number, path) = line.trim_end().split_once(' ').ok_or("no number and path on standard input")?;
    Ok((path.to_owned(), number.parse()?))
}

/// Calls `then` once, after the first query that `part` is in.
pub(crate) fn after_query(
    conn: &mut SqliteConnection,
    part: &'static str,
    then: impl FnOnce() -> TestResult + Send + 'static,
) {
    let mut then = Some(then);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::FinishQuery { query, .. } = event
            && query.to_string().contains(part)
            && let Some(then) = then.take()
        {
            assert!(then().is_ok());
        }
    });
}

/// A statement that the repository executed, with what it bound.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Value>,
}

/// The statements that `run` has the connection execute, those left out that begin and end transactions.
pub(crate) fn statements(
    conn: &mut SqliteConnection,
    run: impl FnOnce(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>,
) -> TestResult<Vec<Statement>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && let printed = query.to_string()
            && !["BEGIN", "COMMIT"].iter().any(|control| printed.starts_with(control))
            && let Ok(mut seen) = sink.lock()
        {
            seen.push(printed);
        }
    });
    let outcome = run(&mut ActivityLogRepository::new(conn));
    conn.set_instrumentation(None::<Box<dyn Instrumentation>>);
    outcome?;
    let seen = seen.lock().map_err(|error| error.to_string())?;
    // Diesel prints a query as its SQL and, after that, its binds in Rust's form, which for plain ones is JSON.
    seen.iter()
        .map(|printed| {
            let (sql, binds) = printed.split_once(" -- binds: ").unwrap_or((printed, "[]"));
            Ok(Statement { sql: sql.to_owned(), binds: serde_json::from_str(binds)? })
        })
        .collect()
}

#[derive(QueryableByName)]
struct PlanStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The plan that SQLite makes for a statement, a line a step.
pub(crate) fn plan(conn: &mut SqliteConnection, statement: &Statement) -> TestResult<String> {
    let mut query = diesel::sql_query(format!("EXPLAIN QUERY PLAN {}", statement.sql)).into_boxed();
    for bind in &statement.binds {
        query = match bind {
            Value::String(text) => query.bind::<Text, _>(text.clone()),
            Value::Number(number) => query.bind::<Nullable<BigInt>, _>(number.as_i64()),
            Value::Bool(value) => query.bind::<Bool, _>(*value),
            other => return Err(format!("{other} is no bind that the tests use").into()),
        };
    }
    let steps = query.load::<PlanStep>(conn)?;
    Ok(steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n"))
}
