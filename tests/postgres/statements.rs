//! The statements that the repository executes, and the plans that PostgreSQL makes for them.

use std::sync::{Arc, Mutex};

use activity_log::postgres::ActivityLogRepository;
use diesel::Connection as _;
use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

use crate::database::Connection;
use crate::support::TestResult;

/// A statement that the repository executed, with its binds as SQL, each with its type.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    binds: Vec<(&'static str, String)>,
}

/// The statements on the log that the connection executes during `run`.
pub(crate) fn statements(
    conn: &mut Connection,
    run: impl FnOnce(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>,
) -> TestResult<Vec<Statement>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && let Ok(mut seen) = sink.lock()
        {
            seen.push(query.to_string());
        }
    });
    let outcome = run(&mut ActivityLogRepository::new(conn));
    conn.set_instrumentation(None::<Box<dyn Instrumentation>>);
    outcome?;
    let seen = seen.lock().map_err(|error| error.to_string())?;
    seen.iter().filter(|printed| printed.contains("FROM activity_log")).map(|printed| statement(printed)).collect()
}

/// Diesel prints a query as its SQL followed by its binds in Rust's debug form, which is JSON but for times.
fn statement(printed: &str) -> TestResult<Statement> {
    let (sql, binds) = printed.split_once(" -- binds: ").unwrap_or((printed, "[]"));
    let mut pieces = binds.split("PgTimestamp(");
    let mut json = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        json += "{\"time\":";
        json += &piece.replacen(')', "}", 1);
    }
    let binds = serde_json::from_str::<Vec<Value>>(&json)?;
    Ok(Statement { sql: sql.to_owned(), binds: binds.iter().map(bind).collect::<TestResult<_>>()? })
}

fn bind(value: &Value) -> TestResult<(&'static str, String)> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    Ok(match value {
        Value::String(text) => ("text", quoted(text)),
        Value::Number(number) => ("bigint", number.to_string()),
        Value::Array(times) if times.first().is_some_and(Value::is_object) => {
            let times = times.iter().map(|time| Ok(bind(time)?.1)).collect::<TestResult<Vec<_>>>()?;
            ("timestamptz[]", format!("ARRAY[{}]", times.join(", ")))
        }
        Value::Array(texts) => {
            let texts = texts.iter().map(|text| text.as_str().map(quoted)).collect::<Option<Vec<_>>>();
            ("text[]", format!("ARRAY[{}]", texts.ok_or("a list of texts")?.join(", ")))
        }
        Value::Object(time) => {
            let micros = time.get("time").ok_or("a time")?;
            ("timestamptz", format!("timestamptz '2000-01-01Z' + {micros} * interval '1 microsecond'"))
        }
        other => return Err(format!("{other} is not a bind that the tests use").into()),
    })
}

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The plan by which PostgreSQL executes a statement, and how many rows each of its steps passed on and removed.
pub(crate) fn plan(conn: &mut Connection, statement: &Statement, plan_cache_mode: &str) -> TestResult<String> {
    let Statement { sql, binds } = statement;
    let (mut types, mut values) = (Vec::new(), Vec::new());
    for (kind, value) in binds {
        types.push(*kind);
        values.push(value.as_str());
    }
    let list = |parts: Vec<&str>| if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) };
    conn.batch_execute(&format!("SET plan_cache_mode = {plan_cache_mode}; PREPARE explained{} AS {sql}", list(types)))?;
    let explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE explained";
    let lines = diesel::sql_query(format!("{explain}{}", list(values))).load::<PlanLine>(conn)?;
    conn.batch_execute("DEALLOCATE explained; RESET plan_cache_mode")?;
    Ok(lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n"))
}
