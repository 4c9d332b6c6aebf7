//! Compares activity-log in PostgreSQL with the other ways to keep such a log:
//! `.ci/postgres cargo run --release --manifest-path benches/peers_postgres/Cargo.toml`.
//!
//! After `--`, `--rows` sets the number of entries (a million by default), `--quick` gives a rough first result, and `--only`
//! selects the operations whose name contains a text.

mod connection;
mod database;
#[path = "../../log/entries.rs"]
mod entries;
mod operations;
mod peer;
mod peers;
mod statements;
mod table;
mod through_activity_log;
mod through_own_statements;
mod through_sea_orm;
mod through_sqlx;
mod through_tokio_postgres;
mod turns;

use database::Database;
use operations::{Source, operations};
use peer::BenchResult;

/// The variable with the address of the server.
const SERVER: &str = "ACTIVITY_LOG_POSTGRES_URL";
const ROWS: u64 = 1_000_000;
const QUICK_ROWS: u64 = 50_000;
const FEWEST_ROWS: u64 = 10_000;
const ROUNDS: usize = 15;
const QUICK_ROUNDS: usize = 3;

fn main() -> BenchResult {
    let mut rows = None;
    let mut quick = false;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => rows = Some(arguments.next().ok_or("--rows needs a number")?.parse::<u64>()?),
            "--quick" => quick = true,
            "--only" => only = arguments.next().ok_or("--only needs a part of an operation's name")?,
            other => return Err(format!("unknown argument {other}: use --rows, --quick or --only").into()),
        }
    }
    let rows = rows.unwrap_or(if quick { QUICK_ROWS } else { ROWS });
    if rows < FEWEST_ROWS {
        return Err(format!("--rows must be at least {FEWEST_ROWS}").into());
    }
    let rounds = if quick { QUICK_ROUNDS } else { ROUNDS };
    let server = std::env::var(SERVER).map_err(|_| format!("set {SERVER} to the address of a server"))?;

    println!("{}", versions());
    let database = Database::create(&server, rows)?;
    let mut source = Source::new(rows);
    for (state, is_fresh) in
        [("the log had 1,000 entries at its last ANALYZE", false), ("after VACUUM (ANALYZE)", true)]
    {
        if is_fresh {
            database.vacuum_and_analyze()?;
        }
        println!("\n{rows} entries, {state}\n\n{}", table::header());
        for operation in operations(rows) {
            // Statistics do not change what writing costs.
            if operation.name.contains(&only) && (is_fresh || !operation.work.writes()) {
                let medians = turns::medians(&operation, &database.url, &mut source, rounds)?;
                println!("{}", table::row(&operation, &medians));
            }
        }
    }
    Ok(())
}

/// The versions of the compared crates, on one line.
fn versions() -> String {
    let crates = ["tokio-postgres", "diesel", "diesel-async", "sqlx", "sea-orm"];
    crates.map(|name| format!("{name} {}", locked(name).unwrap_or("?"))).join(", ")
}

fn locked(name: &str) -> Option<&'static str> {
    let (_, package) = include_str!("../Cargo.lock").split_once(&format!("name = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}
