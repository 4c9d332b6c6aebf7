//! The throughput of the basic operations: `cargo bench --bench reads`.
//!
//! Criterion prints the rows per second, and the change since the previous measurement.

mod log;

use std::time::{Duration, Instant};

use activity_log::{ActivityLogFilters, ActivityLogRepository, run_migrations};
use criterion::{Criterion, Throughput};
use diesel::prelude::*;
use log::{BenchResult, LogFile, entry, fill};

const ROWS: u64 = 200_000;
const MANY: u64 = 20_000;
const PAGE: u32 = 50;

fn main() -> BenchResult {
    let file = LogFile::create(|conn| Ok(run_migrations(conn)?))?;
    let mut conn = file.connect()?;
    fill(&mut conn, 0..ROWS, ROWS)?;

    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    bench(&mut criterion, "page of 50", PAGE.into(), |times| {
        let started = Instant::now();
        for _ in 0..times {
            ActivityLogRepository::new(&mut conn).page(&ActivityLogFilters::default(), None, PAGE)?;
        }
        Ok(started.elapsed())
    })?;
    bench(&mut criterion, "export of 200,000", ROWS, |times| {
        let started = Instant::now();
        for _ in 0..times {
            for entry in ActivityLogRepository::new(&mut conn).iter_export(&ActivityLogFilters::default())? {
                entry?;
            }
        }
        Ok(started.elapsed())
    })?;
    bench(&mut criterion, "record, in one transaction", 1, |times| {
        let entries = (ROWS..ROWS + times).map(|number| entry(number, ROWS)).collect::<Vec<_>>();
        let took = conn.transaction(|conn| {
            let mut log = ActivityLogRepository::new(conn);
            let started = Instant::now();
            entries.iter().try_for_each(|entry| log.record(entry).map(drop))?;
            BenchResult::Ok(started.elapsed())
        })?;
        delete_recorded(&mut conn)?;
        Ok(took)
    })?;
    bench(&mut criterion, "record, a transaction each", 1, |times| {
        let entries = (ROWS..ROWS + times).map(|number| entry(number, ROWS)).collect::<Vec<_>>();
        let mut log = ActivityLogRepository::new(&mut conn);
        let started = Instant::now();
        entries.iter().try_for_each(|entry| log.record(entry).map(drop))?;
        let took = started.elapsed();
        delete_recorded(&mut conn)?;
        Ok(took)
    })?;
    bench(&mut criterion, "record_all of 20,000", MANY, |times| {
        let entries = (ROWS..ROWS + MANY).map(|number| entry(number, ROWS)).collect::<Vec<_>>();
        let mut took = Duration::ZERO;
        for _ in 0..times {
            let started = Instant::now();
            ActivityLogRepository::new(&mut conn).record_all(&entries)?;
            took += started.elapsed();
            delete_recorded(&mut conn)?;
        }
        Ok(took)
    })?;
    criterion.final_summary();
    Ok(())
}

/// Measures an operation with Criterion. The operation takes the number of repetitions and returns their total time.
fn bench(
    criterion: &mut Criterion,
    name: &str,
    rows: u64,
    mut operation: impl FnMut(u64) -> BenchResult<Duration>,
) -> BenchResult {
    let mut outcome = Ok(());
    let mut group = criterion.benchmark_group("log of 200,000");
    group.throughput(Throughput::Elements(rows));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| match operation(times) {
            Ok(took) => took,
            // Criterion cannot handle an error, so it gets an arbitrary nonzero time. The benchmark fails afterwards.
            Err(error) => {
                outcome = Err(error);
                Duration::from_secs(1)
            }
        });
    });
    group.finish();
    outcome
}

fn delete_recorded(conn: &mut SqliteConnection) -> BenchResult {
    use activity_log::schema::activity_log;
    diesel::delete(activity_log::table.filter(activity_log::seq.gt(i64::try_from(ROWS)?))).execute(conn)?;
    Ok(())
}
