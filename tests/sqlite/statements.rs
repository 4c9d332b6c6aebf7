//! The statements that the repository executes, and the plans that SQLite makes for them.

use std::sync::{Arc, Mutex};

use activity_log::ActivityLogRepository;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use serde_json::Value;

use crate::support::TestResult;

/// Calls `then` once, after the first query that contains `part`.
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

/// A statement that the repository executed, with its binds.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Value>,
}

/// The statements that the connection executes during `run`, except those that begin and end transactions or insert entries.
pub(crate) fn statements(
    conn: &mut SqliteConnection,
    run: impl FnOnce(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>,
) -> TestResult<Vec<Statement>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && let printed = query.to_string()
            && !["BEGIN", "END", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "INSERT INTO `activity_log` "]
                .iter()
                .any(|control| printed.starts_with(control))
            && let Ok(mut seen) = sink.lock()
        {
            seen.push(printed);
        }
    });
    let outcome = run(&mut ActivityLogRepository::new(conn));
    conn.set_instrumentation(None::<Box<dyn Instrumentation>>);
    outcome?;
    let seen = seen.lock().map_err(|error| error.to_string())?;
    // Diesel prints a query as its SQL followed by its binds in Rust's debug form, which is JSON for simple values.
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

/// The plan that SQLite makes for a statement, one step a line.
pub(crate) fn plan(conn: &mut SqliteConnection, statement: &Statement) -> TestResult<String> {
    let mut query = diesel::sql_query(format!("EXPLAIN QUERY PLAN {}", statement.sql)).into_boxed();
    for bind in &statement.binds {
        query = match bind {
            Value::String(text) => query.bind::<Text, _>(text.clone()),
            Value::Number(number) => query.bind::<Nullable<BigInt>, _>(number.as_i64()),
            Value::Bool(value) => query.bind::<Bool, _>(*value),
            Value::Array(bytes) => {
                let bytes = bytes.iter().filter_map(Value::as_u64).filter_map(|byte| u8::try_from(byte).ok());
                query.bind::<Binary, _>(bytes.collect::<Vec<_>>())
            }
            other => return Err(format!("{other} is not a bind that the tests use").into()),
        };
    }
    let steps = query.load::<PlanStep>(conn)?;
    Ok(steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n"))
}
