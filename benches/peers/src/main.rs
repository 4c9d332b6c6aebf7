//! Compares activity-log with the other ways to keep such a log:
//! `cargo run --release --manifest-path benches/peers/Cargo.toml`.
//!
//! After `--`, `--rows` sets the number of rows to read (a million by default), `--quick` gives a rough first result,
//! and `--only` selects the operations whose name contains a text. `--recorders` compares threads that write for many
//! others instead.

mod competitors;
mod databases;
mod entries;
mod hand_written;
mod operations;
mod peer;
mod recorders;
mod segments;
mod settings;
mod table;
mod through_activity_log;
mod through_sea_orm;
mod through_sqlx;
mod turns;
mod versions;

use databases::Databases;
use operations::operations;
use peer::BenchResult;

const ROWS: usize = 1_000_000;
const QUICK_ROWS: usize = 50_000;
/// The size of the log for operations that write.
const SMALL_ROWS: usize = 100_000;
/// The search term occurs in an entry before this one.
const FEWEST_ROWS: usize = 20_000;

fn main() -> BenchResult {
    let mut rows = None;
    let mut quick = false;
    let mut only_recorders = false;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => rows = Some(arguments.next().ok_or("--rows needs a number")?.parse::<usize>()?),
            "--quick" => quick = true,
            "--recorders" => only_recorders = true,
            "--only" => only = arguments.next().ok_or("--only needs a part of an operation's name")?,
            other => return Err(format!("unknown argument {other}: use --rows, --quick, --only or --recorders").into()),
        }
    }
    let rows = rows.unwrap_or(if quick { QUICK_ROWS } else { ROWS });
    if rows < FEWEST_ROWS {
        return Err(format!("--rows must be at least {FEWEST_ROWS}").into());
    }
    let small_rows = rows.min(SMALL_ROWS);
    if only_recorders {
        return recorders::compare(&Databases::prepare(FEWEST_ROWS, FEWEST_ROWS)?, FEWEST_ROWS);
    }

    println!("{}", versions::versions());
    println!("{}", settings::EXPECTED);
    println!("reads use {rows} rows, writes start with {small_rows} rows\n");
    let databases = Databases::prepare(small_rows, rows)?;
    println!("{}", table::header());
    for mut operation in operations(small_rows, rows)? {
        if !operation.name.contains(&only) {
            continue;
        }
        if quick {
            operation.rounds = (operation.rounds / 4).max(3);
        }
        println!("{}", table::row(&operation, &turns::medians(&operation, &databases)?));
    }
    Ok(())
}
