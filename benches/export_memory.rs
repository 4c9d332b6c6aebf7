//! The memory that an export holds, however long the log is: `cargo bench --bench export_memory` on Linux.
//!
//! Prints the peak growth of the memory of a process that exports, including SQLite and the allocator, relative to the
//! memory after the first page. For comparison, prints the growth when the same entries are collected into a `Vec`,
//! which shows that the measurement sees held memory. Numbers after `--` replace the default numbers of rows.

mod log;

use std::fs;
use std::process::Command;

use activity_log::{ActivityLogFilters, ActivityLogRepository, run_migrations};
use log::{BenchResult, LogFile, fill};

const ROWS: [u64; 3] = [10_000, 100_000, 1_000_000];
const EXPORT: &str = "export-of";
const COLLECTION: &str = "collection-of";

fn main() -> BenchResult {
    let arguments = std::env::args().collect::<Vec<_>>();
    if let [_, way, path] = arguments.as_slice()
        && [EXPORT, COLLECTION].contains(&way.as_str())
    {
        println!("{}", growth(path, way)?);
        return Ok(());
    }
    let mut sizes = arguments.iter().filter_map(|argument| argument.parse().ok()).collect::<Vec<_>>();
    if sizes.is_empty() {
        sizes.extend(ROWS);
    }
    println!("{:>10} {:>16} {:>20}", "rows", "exported, MiB", "in a Vec, MiB");
    for rows in sizes {
        let file = LogFile::create(|conn| Ok(run_migrations(conn)?))?;
        fill(&mut file.connect()?, 0..rows, rows)?;
        let path = file.path();
        let exported = growth_in_a_fresh_process(&path, EXPORT)?;
        let collected = growth_in_a_fresh_process(&path, COLLECTION)?;
        println!("{rows:>10} {:>16.1} {:>20.1}", exported / 1024.0, collected / 1024.0);
    }
    Ok(())
}

/// The process that built the log cannot measure the export, which would reuse its freed memory and hide the growth.
fn growth_in_a_fresh_process(path: &str, way: &str) -> BenchResult<f64> {
    let output = Command::new(std::env::current_exe()?).args([way, path]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The peak growth of this process in KiB while it exports everything.
fn growth(path: &str, way: &str) -> BenchResult<u64> {
    let mut conn = activity_log::connect(path)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let everything = ActivityLogFilters::default();
    log.page(&everything, None, 50)?;

    // Resets the peak to the memory that is resident now.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = peak()?;
    let export = log.iter_export(&everything)?;
    if way == COLLECTION {
        std::hint::black_box(export.collect::<activity_log::Result<Vec<_>>>()?);
    } else {
        for entry in export {
            std::hint::black_box(entry?);
        }
    }
    Ok(peak()?.saturating_sub(before))
}

/// The peak resident memory in KiB.
fn peak() -> BenchResult<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the system reports no peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
