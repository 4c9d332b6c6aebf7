//! What an export holds in memory, however long the log: `cargo bench --bench export_memory` on Linux.
//!
//! Prints by how much the memory of a process that exports grows at its peak, SQLite's and the allocator's part with
//! it, above what the connection had after its first page. Beside it, that the measure sees what is held: the same
//! entries collected into a `Vec`. Other numbers of rows may be given after `--`.

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

/// A process that has built a log would hand the memory freed since to the export, whose growth would not show.
fn growth_in_a_fresh_process(path: &str, way: &str) -> BenchResult<f64> {
    let output = Command::new(std::env::current_exe()?).args([way, path]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// By how many KiB this process grows, at its peak, while it exports everything.
fn growth(path: &str, way: &str) -> BenchResult<u64> {
    let mut conn = activity_log::connect(path)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let everything = ActivityLogFilters::default();
    log.page(&everything, None, 50)?;

    // Sets the peak back to what is resident now.
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

/// The most KiB that were ever resident.
fn peak() -> BenchResult<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the system tells no peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
