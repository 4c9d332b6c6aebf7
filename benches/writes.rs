//! The cost of the schema for a writer: `cargo bench --bench writes`.
//!
//! Records into a log that already holds 100,000 entries, one by one in one transaction and many in one call. The
//! tables of the first migration alone and those of all migrations take turns. Then deletes the oldest entries and
//! scattered entries, with and without the triggers of the segments. Prints medians, also as multiples of the first
//! schema, and the bytes per row in the file. A number after `--` replaces the number of entries that are already
//! there.

mod log;

use std::fs;
use std::time::{Duration, Instant};

use activity_log::{ActivityLogRepository, NewActivityLogEntry, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use log::{BenchResult, LogFile, entry, fill};

const ROWS: u64 = 100_000;
const ROUNDS: u64 = 30;
const RECORDED: u64 = 4_000;
const DELETED: u64 = 1_000;

const FIRST_MIGRATION: &str = include_str!("../migrations/0000-activity-log-0001_create_activity_log/up.sql");

const DROP_TRIGGERS: &str = "DROP TRIGGER activity_log_segments_delete; DROP TRIGGER activity_log_segments_update; \
    DROP TRIGGER activity_log_segments_replace";

/// A name, and a function that creates the tables.
type Schema = (&'static str, fn(&mut SqliteConnection) -> BenchResult);

/// The first schema is the baseline.
const SCHEMAS: &[Schema] = &[
    ("first migration", |conn| Ok(conn.batch_execute(FIRST_MIGRATION)?)),
    ("all migrations", |conn| Ok(run_migrations(conn)?)),
    ("with search", |conn| {
        run_migrations(conn)?;
        Ok(activity_log::enable_search(conn)?)
    }),
];

/// A log with the schema to measure.
struct Log {
    name: &'static str,
    file: LogFile,
    measured: Vec<Measured>,
}

/// The times per entry in one round.
struct Measured {
    record: Duration,
    record_with_commit: Duration,
    record_all: Duration,
}

impl Log {
    fn build((name, migrate): &Schema, rows: u64) -> BenchResult<Self> {
        let file = LogFile::create(migrate)?;
        fill(&mut file.connect()?, 0..rows, rows)?;
        Ok(Self { name, file, measured: Vec::new() })
    }

    fn measure(&mut self, one_by_one: &[NewActivityLogEntry], all: &[NewActivityLogEntry]) -> BenchResult {
        // Open only for this round: if SQLite is compiled with SQLITE_ENABLE_MEMORY_MANAGEMENT, as by libsqlite3-sys
        // 0.38, the connections of a process take pages from each other's caches, and not evenly.
        let mut conn = self.file.connect()?;
        let started = Instant::now();
        let recorded = conn.immediate_transaction(|conn| {
            let mut log = ActivityLogRepository::new(conn);
            one_by_one.iter().try_for_each(|entry| log.record(entry).map(drop))?;
            BenchResult::Ok(started.elapsed())
        })?;
        let committed = started.elapsed();
        // An automatic checkpoint after a commit would hit some rounds and not others.
        conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
        let started = Instant::now();
        ActivityLogRepository::new(&mut conn).record_all(all)?;
        let all_recorded = started.elapsed();
        conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
        self.measured.push(Measured {
            record: recorded / u32::try_from(one_by_one.len())?,
            record_with_commit: committed / u32::try_from(one_by_one.len())?,
            record_all: all_recorded / u32::try_from(all.len())?,
        });
        Ok(())
    }

    fn median(&self, time: impl Fn(&Measured) -> Duration) -> f64 {
        median(self.measured.iter().map(time))
    }
}

/// The median in microseconds.
fn median(times: impl Iterator<Item = Duration>) -> f64 {
    let mut times = times.collect::<Vec<_>>();
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |median| median.as_secs_f64() * 1e6)
}

fn main() -> BenchResult {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ROWS);
    print_recording(rows)?;
    print_deleting(rows)
}

fn print_recording(rows: u64) -> BenchResult {
    let mut logs = SCHEMAS.iter().map(|schema| Log::build(schema, rows)).collect::<BenchResult<Vec<_>>>()?;
    for round in 0..ROUNDS {
        let first = rows + round * RECORDED * 2;
        let entries = (first..first + RECORDED * 2).map(|number| entry(number, rows)).collect::<Vec<_>>();
        let (one_by_one, all) = entries.split_at(usize::try_from(RECORDED)?);
        // The order reverses every round, so that no schema always follows the checkpoint of another.
        logs.reverse();
        for log in &mut logs {
            log.measure(one_by_one, all)?;
        }
    }
    logs.sort_by_key(|log| SCHEMAS.iter().position(|(name, _)| *name == log.name));

    println!("{RECORDED} entries a transaction, median of {ROUNDS}, {rows} entries already there; microseconds, bytes");
    println!(
        "{:<18}{:>10}{:>8}{:>13}{:>8}{:>12}{:>8}{:>10}{:>8}",
        "", "record", "", "with commit", "", "record_all", "", "file", ""
    );
    let total = (rows + ROUNDS * RECORDED * 2) as f64;
    let mut base = None;
    for log in &logs {
        let numbers = [
            log.median(|measured| measured.record),
            log.median(|measured| measured.record_with_commit),
            log.median(|measured| measured.record_all),
            fs::metadata(log.file.path())?.len() as f64 / total,
        ];
        let [record_base, commit_base, all_base, size_base] = *base.get_or_insert(numbers);
        let [record, commit, all, size] = numbers;
        println!(
            "{:<18}{record:>10.2}{:>7.2}×{commit:>13.2}{:>7.2}×{all:>12.2}{:>7.2}×{size:>10.0}{:>7.2}×",
            log.name,
            record / record_base,
            commit / commit_base,
            all / all_base,
            size / size_base,
        );
    }
    Ok(())
}

/// A name, and the condition for the entries that one round deletes from a log of `rows` rows.
type Deletion = (&'static str, fn(round: u64, rows: u64) -> String);

const DELETIONS: &[Deletion] = &[
    ("oldest", |round, _| format!("seq <= {}", (round + 1) * DELETED)),
    ("scattered", |round, rows| format!("seq % {} = {}", rows / DELETED, round + 1)),
];

/// Deletes alternately with the triggers and without them.
fn print_deleting(rows: u64) -> BenchResult {
    println!("\n{DELETED} entries deleted by one statement, median of {ROUNDS}; microseconds per entry");
    println!("{:<18}{:>18}{:>15}{:>8}", "", "without triggers", "with them", "");
    for (name, condition) in DELETIONS {
        let logs = [true, false].map(|with_triggers| -> BenchResult<LogFile> {
            let file = LogFile::create(|conn| Ok(run_migrations(conn)?))?;
            let mut conn = file.connect()?;
            fill(&mut conn, 0..rows, rows)?;
            if !with_triggers {
                conn.batch_execute(DROP_TRIGGERS)?;
            }
            Ok(file)
        });
        let [with, without] = logs;
        let mut logs = [(without?, Vec::new()), (with?, Vec::new())];
        for round in 0..ROUNDS {
            logs.reverse();
            for (file, times) in &mut logs {
                let mut conn = file.connect()?;
                let delete = format!("DELETE FROM activity_log WHERE {}", condition(round, rows));
                let (started, deleted) = (Instant::now(), diesel::sql_query(delete).execute(&mut conn)?);
                times.push(started.elapsed() / u32::try_from(deleted)?);
                conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
            }
        }
        // An even number of rounds restores the original order of the logs.
        let [without, with] = logs.map(|(_, times)| median(times.into_iter()));
        println!("{name:<18}{without:>18.2}{with:>15.2}{:>7.2}×", with / without);
    }
    Ok(())
}
