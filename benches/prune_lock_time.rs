//! How long a writer waits while a million rows are pruned: `cargo bench --bench prune_lock_time`.
//!
//! Prints the distribution of the waits of a writer that records without a pause: alone, beside `prune`, beside
//! `apply_retention` without and with an archive, and beside the single large DELETE that a host would otherwise write. Then
//! it prints how long each takes without that writer. A number after `--` replaces the number of rows.

use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use activity_log::{
    ActivityLogRepository, NewActivityLogEntry, RetentionHooks, RetentionPolicy, connect, export, run_migrations,
};
use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

type BenchResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const ROWS: usize = 1_000_000;
const KEPT: u64 = 1_000;

fn main() -> BenchResult {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ROWS);
    println!("{rows} rows, all but {KEPT} are deleted; the writer's waits for one record");
    println!("{:<18} {:>9} {:>10} {:>10} {:>10} {:>10}", "beside", "took", "median", "99 %", "99.9 %", "longest");
    measure("nothing", rows.min(10_000), |_| {
        thread::sleep(Duration::from_secs(2));
        Ok(())
    })?;
    let last = rows as u64 - KEPT;
    let large_delete = format!("DELETE FROM activity_log WHERE seq <= {last}");
    measure("prune", rows, prune)?;
    measure("retention", rows, retain)?;
    measure("… with an archive", rows, archive)?;
    measure("one large DELETE", rows, |conn| Ok(conn.batch_execute(&large_delete)?))?;

    println!("alone:");
    time("prune", rows, prune)?;
    time("retention", rows, retain)?;
    time("… with an archive", rows, archive)?;
    time("one large DELETE", rows, |conn| Ok(conn.batch_execute(&large_delete)?))
}

fn prune(conn: &mut SqliteConnection) -> BenchResult {
    ActivityLogRepository::new(conn).prune(None, Some(KEPT))?;
    Ok(())
}

fn retain(conn: &mut SqliteConnection) -> BenchResult {
    retain_with(conn, RetentionHooks::new())
}

fn archive(conn: &mut SqliteConnection) -> BenchResult {
    let folder = tempfile::tempdir()?;
    let mut archive = export::FileArchive::open(folder.path().join("archive.ndjson"))?;
    retain_with(conn, RetentionHooks::new().archive(&mut archive))
}

fn retain_with(conn: &mut SqliteConnection, hooks: RetentionHooks<'_>) -> BenchResult {
    let policy = RetentionPolicy::new().max_age(TimeDelta::zero()).keep_at_least(KEPT);
    ActivityLogRepository::new(conn).apply_retention_with(&policy, Utc::now(), &AtomicBool::new(false), hooks)?;
    Ok(())
}

fn time(name: &str, rows: usize, work: impl FnOnce(&mut SqliteConnection) -> BenchResult) -> BenchResult {
    let folder = tempfile::tempdir()?;
    let mut conn = connect(&folder.path().join("log.db").display().to_string())?;
    run_migrations(&mut conn)?;
    fill(&mut conn, rows)?;
    let started = Instant::now();
    work(&mut conn)?;
    println!("{name:<18} {:>7.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs `work` on a log of `rows` rows while another connection records without a pause.
fn measure(name: &str, rows: usize, work: impl FnOnce(&mut SqliteConnection) -> BenchResult + Send) -> BenchResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.db").display().to_string();
    let mut worker = connect(&path)?;
    run_migrations(&mut worker)?;
    fill(&mut worker, rows)?;

    let mut recorder = connect(&path)?;
    // Every wait must end in success. Beside this recorder, one statement may wait long for its turn.
    for conn in [&mut worker, &mut recorder] {
        conn.batch_execute("PRAGMA busy_timeout = 60000")?;
    }
    let mut log = ActivityLogRepository::new(&mut recorder);
    let (took, mut waits) = thread::scope(|scope| -> BenchResult<_> {
        let working = scope.spawn(|| {
            let started = Instant::now();
            work(&mut worker).map(|()| started.elapsed())
        });
        let mut waits = Vec::new();
        while !working.is_finished() {
            let entry = NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Signed in");
            let started = Instant::now();
            log.record(&entry)?;
            waits.push(started.elapsed());
        }
        Ok((working.join().map_err(|_| "the worker panicked")??, waits))
    })?;

    waits.sort();
    let at = |share: f64| waits.get(((waits.len() - 1) as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "{name:<18} {:>7.1} s {:>7.2} ms {:>7.2} ms {:>7.2} ms {:>7.2} ms",
        took.as_secs_f64(),
        millis(at(0.5)),
        millis(at(0.99)),
        millis(at(0.999)),
        millis(at(1.0)),
    );
    Ok(())
}

fn fill(conn: &mut SqliteConnection, rows: usize) -> BenchResult {
    let categories = ["auth", "device", "entity", "capture", "system"];
    for first in (0..rows).step_by(10_000) {
        let entries = (first..rows.min(first + 10_000))
            .zip(categories.into_iter().cycle())
            .map(|(number, category)| {
                NewActivityLogEntry::new(category, "device.updated", format!("user {}", number % 50), "Changed it")
                    .entity("device", format!("dev_{}", number % 1_000))
                    .metadata_value("number", number)
            })
            .collect::<Vec<_>>();
        ActivityLogRepository::new(conn).record_all(&entries)?;
    }
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
