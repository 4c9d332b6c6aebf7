//! How the time of every query shape grows with the log: `cargo bench --bench shapes`.
//!
//! Prints a table for each state of SQLite's statistics, with one row per shape and one column per log size. Each time
//! is the median of measurements that alternate between the sizes. After `--`, numbers select the sizes, names of
//! states select the states, and any other word selects the shapes whose names contain the word, as in
//! `-- 1000000 fresh text`, or with `^` before it, those whose names do not. It fails if an answer differs between two
//! states. Occasionally run `-- 100000 1000000 10000000`, which needs about 6 GB on disk and a quarter of an hour.

mod log;
mod questions;

use activity_log::run_migrations;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use log::{BenchResult, FIRST_ENTRIES, LogFile, fill};
use questions::measure::{Selected, print_table};

type Connection = SqliteConnection;

const SIZES: [u64; 2] = [100_000, 1_000_000];

/// The name of a state, its meaning, and the change that brings a log from the previous state into this one.
type State = (&'static str, &'static str, fn(&mut SqliteConnection) -> BenchResult);

const STATES: [State; 4] = [
    ("stale", "ANALYZE when the log had 1,000 rows of one category", |_| Ok(())),
    ("none", "no statistics", |conn| {
        Ok(conn.batch_execute("DROP TABLE IF EXISTS sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4")?)
    }),
    ("fresh", "ANALYZE at full size", |conn| Ok(conn.batch_execute("ANALYZE")?)),
    ("search", "with the search index", |conn| Ok(activity_log::enable_search(conn)?)),
];

struct Log {
    rows: u64,
    file: LogFile,
    conn: SqliteConnection,
}

impl Log {
    fn build(rows: u64) -> BenchResult<Self> {
        let file = LogFile::create(|conn| Ok(run_migrations(conn)?))?;
        let mut conn = file.connect()?;
        let first = FIRST_ENTRIES.min(rows);
        fill(&mut conn, 0..first, rows)?;
        conn.batch_execute("ANALYZE")?;
        fill(&mut conn, first..rows, rows)?;
        Ok(Self { rows, file, conn })
    }
}

fn main() -> BenchResult {
    let selected = Selected::from_arguments(&STATES.map(|(state, ..)| state), &SIZES);
    let mut logs = selected.sizes.iter().map(|rows| Log::build(*rows)).collect::<BenchResult<Vec<_>>>()?;
    for (state, meaning, reach) in STATES {
        for log in &mut logs {
            reach(&mut log.conn)?;
            // SQLite reads its statistics when a connection first loads the schema.
            log.conn = log.file.connect()?;
        }
        if selected.has_state(state) {
            print_table(&format!("{state}: {meaning}"), &selected, &mut logs)?;
        }
    }
    Ok(())
}
