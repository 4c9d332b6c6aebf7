//! How the time of every query shape grows with the log in PostgreSQL:
//! `ACTIVITY_LOG_POSTGRES_URL=… cargo bench --features postgres --bench shapes_postgres`.
//!
//! Prints a table for each state of the statistics and each `plan_cache_mode`, as the benchmark `shapes` does for SQLite, and
//! takes the same arguments after `--`. The role must be a superuser, because the state `none` deletes from `pg_statistic`.
//! After all states, it adds rollups, and prints what counts entries once more. The logs are in schemas that the benchmark
//! creates and drops. It fails if an answer differs between two states.

#[path = "log/entries.rs"]
mod log;
#[path = "log/in_postgresql.rs"]
mod log_in_postgresql;
mod questions;

use std::time::Instant;

use activity_log::postgres::{enable_rollups, run_migrations};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use log::BenchResult;
use log_in_postgresql::Log;
use questions::measure::{Selected, print_table};

type Connection = PgConnection;

/// The variable with the address of the server.
const SERVER: &str = "ACTIVITY_LOG_POSTGRES_URL";
const SIZES: [u64; 2] = [100_000, 1_000_000];
/// Plans that fit any values, and those that PostgreSQL chooses.
const PLANS: [&str; 2] = ["force_generic_plan", "auto"];

/// The name of a state, its meaning, and the SQL that brings a log from the previous state into this one.
type State = (&'static str, &'static str, &'static str);

const STATES: [State; 3] = [
    ("stale", "ANALYZE when the log had 1,000 rows of one category", "SELECT"),
    (
        "none",
        "no statistics",
        "DELETE FROM pg_statistic WHERE starelid = 'activity_log'::regclass \
            OR starelid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'activity_log'::regclass); \
        UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0 WHERE oid = 'activity_log'::regclass",
    ),
    ("fresh", "VACUUM (ANALYZE) at full size", "VACUUM (ANALYZE) activity_log"),
];

/// The same for what counts with rollups.
const STATES_WITH_ROLLUPS: [(&str, &str); 2] =
    [("never analyzed", "SELECT"), ("analyzed", "VACUUM (ANALYZE) activity_log_rollups, activity_log_rollup_blocks")];

#[expect(clippy::disallowed_methods, reason = "only the environment can tell where a server is")]
fn main() -> BenchResult {
    let server = std::env::var(SERVER).map_err(|_| format!("set {SERVER} to the address of a server"))?;
    let mut selected = Selected::from_arguments(&STATES.map(|(state, ..)| state), &SIZES);
    let mut logs = selected.sizes.iter().map(|rows| Log::build(&server, *rows)).collect::<BenchResult<Vec<_>>>()?;
    for (state, meaning, reach) in STATES {
        for log in &mut logs {
            log.conn.batch_execute(reach)?;
        }
        if !selected.has_state(state) {
            continue;
        }
        for plans in PLANS {
            for log in &mut logs {
                // A connection keeps the plans that it made before.
                log.conn = PgConnection::establish(&log.url)?;
                log.conn.batch_execute(&format!("SET plan_cache_mode = {plans}"))?;
            }
            print_table(&format!("{state}, {plans}: {meaning}"), &selected, &mut logs)?;
        }
    }
    selected.counts_only = true;
    for log in &mut logs {
        log.conn = PgConnection::establish(&log.url)?;
        let started = Instant::now();
        enable_rollups(&mut log.conn)?;
        println!("\nsummarizing {} rows took {:.1} s", log.rows, started.elapsed().as_secs_f64());
    }
    for (state, reach) in STATES_WITH_ROLLUPS {
        for log in &mut logs {
            log.conn.batch_execute(reach)?;
        }
        for plans in PLANS {
            for log in &mut logs {
                log.conn = PgConnection::establish(&log.url)?;
                log.conn.batch_execute(&format!("SET plan_cache_mode = {plans}"))?;
            }
            print_table(&format!("with rollups; {state}, {plans}"), &selected, &mut logs)?;
        }
    }
    Ok(())
}
