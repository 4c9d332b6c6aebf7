//! The time of every query shape in a log on one server, and in the same log once Citus has distributed it:
//! `ACTIVITY_LOG_CITUS_URL=… cargo bench --features postgres --bench shapes_citus`, with the coordinator's address.
//!
//! Takes the same arguments after `--` as `shapes_postgres`, with the states `local` and `distributed`. The logs are in schemas
//! that the benchmark creates and drops. It fails if the distributed log gives another answer.

#[path = "log/entries.rs"]
mod log;
#[path = "log/in_postgresql.rs"]
mod log_in_postgresql;
mod questions;

use std::time::Instant;

use activity_log::postgres::{distribute, run_migrations};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use log::BenchResult;
use log_in_postgresql::Log;
use questions::measure::{Selected, print_table};

type Connection = PgConnection;

/// The variable with the address of the coordinator.
const COORDINATOR: &str = "ACTIVITY_LOG_CITUS_URL";
const SIZES: [u64; 1] = [1_000_000];
const STATES: [&str; 2] = ["local", "distributed"];

#[expect(clippy::disallowed_methods, reason = "only the environment can tell where a server is")]
fn main() -> BenchResult {
    let server =
        std::env::var(COORDINATOR).map_err(|_| format!("set {COORDINATOR} to the address of a coordinator"))?;
    let selected = Selected::from_arguments(&STATES, &SIZES);
    let mut logs = selected.sizes.iter().map(|rows| Log::build(&server, *rows)).collect::<BenchResult<Vec<_>>>()?;
    if selected.has_state("local") {
        for log in &mut logs {
            log.conn.batch_execute("VACUUM (ANALYZE) activity_log")?;
        }
        print_table("local: on one server", &selected, &mut logs)?;
    }
    if !selected.has_state("distributed") {
        return Ok(());
    }
    println!();
    for log in &mut logs {
        let started = Instant::now();
        distribute(&mut log.conn)?;
        println!("distributing {} rows took {:.1} s", log.rows, started.elapsed().as_secs_f64());
        log.conn = PgConnection::establish(&log.url)?;
        log.conn.batch_execute("VACUUM (ANALYZE) activity_log")?;
    }
    print_table("distributed: by Citus", &selected, &mut logs)?;
    println!();
    for log in &mut logs {
        let started = Instant::now();
        let rows = log.rows;
        log.fill(rows, rows + rows / 10)?;
        let second = (rows / 10) as f64 / started.elapsed().as_secs_f64();
        println!("recorded {second:.0} entries a second into the distributed log of {rows}, 10,000 at once");
    }
    Ok(())
}
