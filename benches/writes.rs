//! What the schema costs a writer: `cargo bench --bench writes`.
//!
//! Records one by one in one transaction into a log that already holds 100,000 entries, with the first migration's
//! tables alone and with all of today's, in turns. Prints medians, also as multiples of the first, and the bytes a row
//! in the file. Another number of entries already there may be given after `--`.

mod log;

use std::fs;
use std::time::{Duration, Instant};

use activity_log::{ActivityLogRepository, NewActivityLogEntry, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use log::{BenchResult, LogFile, entry, fill};

const ROWS: u64 = 100_000;
const RUNS: u64 = 30;
const RECORDED: u64 = 4_000;

const FIRST_MIGRATION: &str = include_str!("../migrations/0000-activity-log-0001_create_activity_log/up.sql");

/// A name, and what creates the tables.
type Schema = (&'static str, fn(&mut SqliteConnection) -> BenchResult);

/// The first is what the others are compared with.
const SCHEMAS: &[Schema] = &[
    ("first migration", |conn| Ok(conn.batch_execute(FIRST_MIGRATION)?)),
    ("all migrations", |conn| Ok(run_migrations(conn)?)),
    ("with search", |conn| {
        run_migrations(conn)?;
        Ok(activity_log::enable_search(conn)?)
    }),
];

struct Log {
    name: &'static str,
    file: LogFile,
    /// Of each run, for one entry: without the commit and with it.
    times: Vec<(Duration, Duration)>,
}

impl Log {
    fn build((name, migrate): &Schema, rows: u64) -> BenchResult<Self> {
        let file = LogFile::create(migrate)?;
        fill(&mut file.connect()?, 0..rows, rows)?;
        Ok(Self { name, file, times: Vec::new() })
    }

    fn run(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        // Open for this run alone: where SQLite is compiled with SQLITE_ENABLE_MEMORY_MANAGEMENT, as by libsqlite3-sys
        // 0.38, the connections of a process take pages from each other's caches, and not evenly.
        let mut conn = self.file.connect()?;
        let started = Instant::now();
        let recorded = conn.immediate_transaction(|conn| {
            let mut log = ActivityLogRepository::new(conn);
            entries.iter().try_for_each(|entry| log.record(entry).map(drop))?;
            BenchResult::Ok(started.elapsed())
        })?;
        self.times.push((recorded / entries.len() as u32, started.elapsed() / entries.len() as u32));
        // A checkpoint that a commit begins by itself would meet some runs and not others.
        conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(())
    }

    fn median(&self, time: impl Fn(&(Duration, Duration)) -> Duration) -> f64 {
        let mut times = self.times.iter().map(time).collect::<Vec<_>>();
        times.sort_unstable();
        times.get(times.len() / 2).map_or(f64::NAN, |median| median.as_secs_f64() * 1e6)
    }
}

fn main() -> BenchResult {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ROWS);
    let mut logs = SCHEMAS.iter().map(|schema| Log::build(schema, rows)).collect::<BenchResult<Vec<_>>>()?;
    for run in 0..RUNS {
        let first = rows + run * RECORDED;
        let entries = (first..first + RECORDED).map(|number| entry(number, rows)).collect::<Vec<_>>();
        // Whoever is first in one run is last in the next, lest one always follow the other's checkpoint.
        logs.reverse();
        for log in &mut logs {
            log.run(&entries)?;
        }
    }
    logs.sort_by_key(|log| SCHEMAS.iter().position(|(name, _)| *name == log.name));

    println!("{RECORDED} entries a transaction, median of {RUNS}, {rows} entries already there");
    println!("{:<18} {:>10} {:>7} {:>13} {:>7} {:>11} {:>7}", "", "record", "", "with commit", "", "in the file", "");
    let total = rows + RUNS * RECORDED;
    let mut base = None;
    for log in &logs {
        let bytes = fs::metadata(log.file.path())?.len() as f64 / total as f64;
        let numbers = [log.median(|(recorded, _)| *recorded), log.median(|(_, committed)| *committed), bytes];
        let [record, commit, size] = numbers;
        let [record_base, commit_base, size_base] = *base.get_or_insert(numbers);
        println!(
            "{:<18} {record:>7.2} µs {:>6.2}× {commit:>10.2} µs {:>6.2}× {size:>9.0} B {:>6.2}×",
            log.name,
            record / record_base,
            commit / commit_base,
            size / size_base,
        );
    }
    Ok(())
}
