//! activity-log beside the other ways to keep such a log:
//! `cargo run --release --manifest-path benches/peers/Cargo.toml`.
//!
//! After `--`: `--rows` with a number of rows to read (a million without), `--quick` for a rough first look, `--only`
//! with a part of the name of the operations to be measured.

mod competitors;
mod databases;
mod entries;
mod hand_written;
mod operations;
mod peer;
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
/// Of what is written to.
const SMALL_ROWS: usize = 100_000;
/// The text that is searched for is in an entry before this one.
const FEWEST_ROWS: usize = 20_000;

fn main() -> BenchResult {
    let mut rows = None;
    let mut quick = false;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => rows = Some(arguments.next().ok_or("--rows wants a number")?.parse::<usize>()?),
            "--quick" => quick = true,
            "--only" => only = arguments.next().ok_or("--only wants a part of an operation's name")?,
            other => return Err(format!("unknown argument {other}: use --rows, --quick or --only").into()),
        }
    }
    let rows = rows.unwrap_or(if quick { QUICK_ROWS } else { ROWS });
    if rows < FEWEST_ROWS {
        return Err(format!("there must be {FEWEST_ROWS} rows at least").into());
    }
    let small_rows = rows.min(SMALL_ROWS);

    println!("{}", versions::versions());
    println!("{}", settings::EXPECTED);
    println!("{rows} rows to read, {small_rows} before those that are recorded\n");
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
