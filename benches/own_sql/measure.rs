//! Measuring a case in a process of its own.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry, connect};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::Case;
use crate::log::{BenchResult, LogFile};

const MIN_RUNS: usize = 3;
const ENOUGH: Duration = Duration::from_millis(300);
pub(crate) const CHILD: &str = "measure";

pub(crate) struct Measured {
    pub(crate) millis: f64,
    /// The peak growth of the process.
    pub(crate) mebibytes: f64,
    pub(crate) longest_wait: f64,
    pub(crate) answer: String,
}

/// Measures in another process: the one that built the log would reuse its freed memory and hide the growth.
pub(crate) fn in_a_fresh_process(
    case: &Case,
    way: &str,
    beside: bool,
    file: &LogFile,
    rows: u64,
) -> BenchResult<Measured> {
    let folder = tempfile::tempdir()?;
    let mut path = file.path();
    if case.writes {
        path = folder.path().join("copy.db").display().to_string();
        fs::copy(file.path(), &path)?;
        if way == "hand" {
            connect(&path)?.batch_execute(WITHOUT_SUMMARIES)?;
        }
    }
    let arguments = [CHILD, case.name, way, &beside.to_string(), &path, &rows.to_string()];
    let output = Command::new(std::env::current_exe()?).args(arguments).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", case.name, String::from_utf8_lossy(&output.stderr)).into());
    }
    let printed = String::from_utf8(output.stdout)?;
    let (numbers, answer) = printed.split_once('\n').ok_or("the process printed nothing")?;
    let numbers = numbers.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [millis, mebibytes, longest_wait] = numbers.try_into().map_err(|_| "the process printed something else")?;
    Ok(Measured { millis, mebibytes, longest_wait, answer: answer.to_owned() })
}

const WITHOUT_SUMMARIES: &str = "
    DROP TRIGGER activity_log_segments_delete; DROP TRIGGER activity_log_segments_update;
    DROP TRIGGER activity_log_segments_widen; DROP TRIGGER activity_log_segments_widen_again;
    DROP TRIGGER activity_log_segments_message; DROP TRIGGER activity_log_segments_replace;
    DROP TABLE activity_log_segments; DROP TABLE activity_log_segment_rollups;
    PRAGMA wal_checkpoint(TRUNCATE)";

pub(crate) fn measure(case: &Case, by_crate: bool, beside: bool, path: &str, rows: u64) -> BenchResult<Measured> {
    let work = if by_crate { case.by_crate } else { case.by_hand };
    let mut conn = connect(path)?;
    conn.batch_execute("PRAGMA busy_timeout = 60000")?;
    ActivityLogRepository::new(&mut conn).page(&ActivityLogFilters::default(), None, 50)?;
    if beside {
        let (answer, longest_wait) = beside_a_recorder(&mut conn, path, |conn| work(conn, rows))?;
        return Ok(Measured { millis: 0.0, mebibytes: 0.0, longest_wait: millis(longest_wait), answer });
    }

    // Resets the peak to the memory that is resident now.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = peak()?;
    let mut started = Instant::now();
    let answer = work(&mut conn, rows)?;
    let mut times = vec![started.elapsed()];
    let mebibytes = (peak()? - before) / 1_024.0;
    if !case.writes {
        // The first run fills the caches and prepares the statements.
        times.clear();
        let began = Instant::now();
        while times.len() < MIN_RUNS || began.elapsed() < ENOUGH {
            started = Instant::now();
            work(&mut conn, rows)?;
            times.push(started.elapsed());
        }
    }
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok(Measured { millis: millis(median), mebibytes, longest_wait: 0.0, answer })
}

/// The answer, and how long another connection waited at most, which records an entry every millisecond.
fn beside_a_recorder(
    conn: &mut SqliteConnection,
    path: &str,
    work: impl FnOnce(&mut SqliteConnection) -> BenchResult<String> + Send,
) -> BenchResult<(String, Duration)> {
    let mut recorder = connect(path)?;
    recorder.batch_execute("PRAGMA busy_timeout = 60000")?;
    let mut log = ActivityLogRepository::new(&mut recorder);
    thread::scope(|scope| {
        let working = scope.spawn(|| work(conn));
        let mut longest = Duration::ZERO;
        while !working.is_finished() {
            let entry = NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Signed in");
            let started = Instant::now();
            log.record(&entry)?;
            longest = longest.max(started.elapsed());
            thread::sleep(Duration::from_millis(1));
        }
        Ok((working.join().map_err(|_| "the worker panicked")??, longest))
    })
}

/// The peak resident memory in KiB.
fn peak() -> BenchResult<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the system reports no peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
