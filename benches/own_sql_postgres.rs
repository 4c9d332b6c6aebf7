//! What the crate costs in PostgreSQL beside the statements that a host would write with Diesel, on the same table:
//! `ACTIVITY_LOG_POSTGRES_URL=… cargo bench --features postgres --bench own_sql_postgres`.
//!
//! Both take turns on one connection, each round in an order that changes. Prints medians per entry or per page, and ratios.
//! The log has 100,000 entries, or as many as a number after `--` says, in a schema that the benchmark creates and drops.

#[path = "log/entries.rs"]
mod log;

use std::time::{Duration, Instant};

use activity_log::postgres::schema::activity_log as table;
use activity_log::postgres::{ActivityLogRepository, ActivityLogRow, NewActivityLogRow, run_migrations};
use activity_log::{ActivityLogEntry, ActivityLogFilters, NewActivityLogEntry};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use log::{BenchResult, entry};

/// The variable with the address of the server.
const SERVER: &str = "ACTIVITY_LOG_POSTGRES_URL";
const ROWS: u64 = 100_000;
const ROUNDS: u64 = 41;
const RECORDED: u64 = 500;
const PAGES: u32 = 100;
const PAGE: u32 = 50;

/// A name, how many entries or pages it is for, and the two ways to do it.
type Operation = (&'static str, u32, [fn(&mut PgConnection, &[NewActivityLogEntry]) -> BenchResult; 2]);

const OPERATIONS: [Operation; 6] = [
    ("record, in one transaction", RECORDED as u32, [record_by_hand, record]),
    ("record, each committed", RECORDED as u32, [record_and_commit_by_hand, record_and_commit]),
    ("record_all", RECORDED as u32, [record_all_by_hand, record_all]),
    ("page of 50", PAGES, [|conn, _| pages_by_hand(conn, None), |conn, _| pages(conn, None)]),
    ("page of 50, auth.*", PAGES, [|conn, _| pages_by_hand(conn, Some("auth.")), |conn, _| pages(conn, Some("auth."))]),
    (
        "page of 50, billing.*",
        PAGES,
        [|conn, _| pages_by_hand(conn, Some("billing.")), |conn, _| pages(conn, Some("billing."))],
    ),
];

fn insert(conn: &mut PgConnection, entry: &NewActivityLogEntry) -> BenchResult {
    let row = NewActivityLogRow::from_entry(entry)?;
    diesel::insert_into(table::table).values(row).returning(table::seq).get_result::<i64>(conn)?;
    Ok(())
}

fn record_by_hand(conn: &mut PgConnection, entries: &[NewActivityLogEntry]) -> BenchResult {
    conn.transaction(|conn| entries.iter().try_for_each(|entry| insert(conn, entry)))
}

fn record(conn: &mut PgConnection, entries: &[NewActivityLogEntry]) -> BenchResult {
    conn.transaction(|conn| {
        let mut log = ActivityLogRepository::new(conn);
        Ok(entries.iter().try_for_each(|entry| log.record(entry).map(drop))?)
    })
}

fn record_and_commit_by_hand(conn: &mut PgConnection, entries: &[NewActivityLogEntry]) -> BenchResult {
    entries.iter().try_for_each(|entry| insert(conn, entry))
}

fn record_and_commit(conn: &mut PgConnection, entries: &[NewActivityLogEntry]) -> BenchResult {
    let mut log = ActivityLogRepository::new(conn);
    Ok(entries.iter().try_for_each(|entry| log.record(entry).map(drop))?)
}

fn record_all_by_hand(conn: &mut PgConnection, entries: &[NewActivityLogEntry]) -> BenchResult {
    let rows = entries.iter().map(NewActivityLogRow::from_entry).collect::<activity_log::Result<Vec<_>>>()?;
    diesel::insert_into(table::table).values(&rows).execute(conn)?;
    Ok(())
}

fn record_all(conn: &mut PgConnection, entries: &[NewActivityLogEntry]) -> BenchResult {
    ActivityLogRepository::new(conn).record_all(entries)?;
    Ok(())
}

fn pages_by_hand(conn: &mut PgConnection, beginning: Option<&str>) -> BenchResult {
    for _ in 0..PAGES {
        // One more than the page tells whether there are older entries.
        let newest =
            table::table.order(table::seq.desc()).limit(i64::from(PAGE) + 1).select(ActivityLogRow::as_select());
        let rows = match beginning {
            Some(beginning) => {
                newest.filter(table::action.like(format!("{beginning}%"))).load::<ActivityLogRow>(conn)?
            }
            None => newest.load(conn)?,
        };
        let rows = rows.into_iter().map(ActivityLogRow::into_entry);
        rows.collect::<activity_log::Result<Vec<ActivityLogEntry>>>()?;
    }
    Ok(())
}

fn pages(conn: &mut PgConnection, beginning: Option<&str>) -> BenchResult {
    let filters = ActivityLogFilters {
        actions: beginning.iter().map(|beginning| format!("{beginning}*")).collect(),
        ..ActivityLogFilters::default()
    };
    for _ in 0..PAGES {
        ActivityLogRepository::new(conn).page(&filters, None, PAGE)?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "only the environment can tell where a server is")]
fn main() -> BenchResult {
    let server = std::env::var(SERVER).map_err(|_| format!("set {SERVER} to the address of a server"))?;
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ROWS);
    let schema = format!("own_sql_{}", std::process::id());
    let mut conn = PgConnection::establish(&server)?;
    conn.batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}"))?;
    let measured = measure(&mut conn, rows);
    conn.batch_execute(&format!("DROP SCHEMA {schema} CASCADE"))?;
    measured
}

fn measure(conn: &mut PgConnection, rows: u64) -> BenchResult {
    run_migrations(conn)?;
    let existing = (0..rows).map(|number| entry(number, rows)).collect::<Vec<_>>();
    existing.chunks(10_000).try_for_each(|chunk| record_all(conn, chunk))?;
    conn.batch_execute("VACUUM (ANALYZE) activity_log")?;

    let mut next = rows;
    println!("{rows} entries already there; microseconds, median of {ROUNDS}");
    println!("{:<28}{:>10}{:>10}", "", "by hand", "crate");
    for (name, units, ways) in OPERATIONS {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            for turn in [round % 2, 1 - round % 2] {
                let entries = (next..next + RECORDED).map(|number| entry(number, rows)).collect::<Vec<_>>();
                next += RECORDED;
                let (Some(way), Some(times)) = (ways.get(turn as usize), times.get_mut(turn as usize)) else {
                    continue;
                };
                let started = Instant::now();
                way(conn, &entries)?;
                times.push(started.elapsed() / units);
            }
        }
        let [by_hand, own] = times.map(median);
        println!("{name:<28}{by_hand:>10.1}{own:>10.1}{:>7.2}×", own / by_hand);
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |median| median.as_secs_f64() * 1e6)
}
