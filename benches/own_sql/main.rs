//! What the crate takes beside the SQL that a host would write by hand, on the same log: `cargo bench --bench own_sql`.
//!
//! Prints for each operation the time of both and their ratio, how much the memory of a process grows at most, and for
//! writing the longest time that another connection waited to record an entry meanwhile. Both must give the same answer.
//! Each measurement has a process of its own, and the two ways alternate. What writes has a copy of the log, by hand
//! without the summaries and their triggers. A number after `--` replaces the number of rows. `TMPDIR` chooses the disk:
//! where it syncs slowly, retention takes long, because it commits often.

mod by_crate;
mod by_hand;
#[path = "../log/mod.rs"]
mod log;
mod measure;

use std::collections::BTreeSet;

use activity_log::{Facet, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use log::{BenchResult, LogFile, fill};
use measure::{CHILD, in_a_fresh_process, measure};

const ROWS: u64 = 1_000_000;
const READ_ROUNDS: usize = 3;

/// How many entries retention deletes.
pub(crate) const fn due(rows: u64) -> u64 {
    rows / 10
}

/// Does the work on a log of so many rows and returns the answer as a text.
type Work = fn(&mut SqliteConnection, u64) -> BenchResult<String>;

struct Case {
    name: &'static str,
    writes: bool,
    by_crate: Work,
    by_hand: Work,
}

const fn reading(name: &'static str, by_crate: Work, by_hand: Work) -> Case {
    Case { name, writes: false, by_crate, by_hand }
}

const fn writing(name: &'static str, by_crate: Work, by_hand: Work) -> Case {
    Case { name, writes: true, by_crate, by_hand }
}

const CASES: &[Case] = &[
    reading(
        "facets, category",
        |conn, _| by_crate::facets(conn, Facet::Category),
        |conn, _| by_hand::facets(conn, "category"),
    ),
    reading(
        "facets, action",
        |conn, _| by_crate::facets(conn, Facet::Action),
        |conn, _| by_hand::facets(conn, "action"),
    ),
    reading("facets, actor", |conn, _| by_crate::facets(conn, Facet::Actor), |conn, _| by_hand::facets(conn, "actor")),
    reading(
        "histogram, strftime",
        |conn, _| by_crate::histogram(conn, &[]),
        |conn, _| by_hand::histogram_by_strftime(conn, "TRUE"),
    ),
    reading(
        "histogram, CASE",
        |conn, _| by_crate::histogram(conn, &[]),
        |conn, _| by_hand::histogram_by_case(conn, "TRUE"),
    ),
    reading(
        "… and a category",
        |conn, _| by_crate::histogram(conn, &["device"]),
        |conn, _| by_hand::histogram_by_case(conn, "category = 'device'"),
    ),
    reading("count, two categories", |conn, _| by_crate::count(conn), |conn, _| by_hand::count(conn)),
    reading("get, 1,000 times", by_crate::get, by_hand::get),
    writing("retention", by_crate::retain, by_hand::delete),
    writing("… with an archive", by_crate::archive, by_hand::delete),
    writing("erase an actor", |conn, _| by_crate::erase(conn), |conn, _| by_hand::update_and_vacuum(conn)),
    writing("… without VACUUM", |conn, _| by_crate::erase_without_vacuum(conn), |conn, _| by_hand::update(conn)),
    writing("rewrite an actor", |conn, _| by_crate::rewrite(conn), |conn, _| by_hand::update_and_vacuum(conn)),
];

fn main() -> BenchResult {
    let arguments = std::env::args().collect::<Vec<_>>();
    if let [_, child, name, way, beside, path, rows] = arguments.as_slice()
        && child == CHILD
    {
        let case = CASES.iter().find(|case| case.name == name).ok_or("no such case")?;
        let measured = measure(case, way == "crate", beside == "true", path, rows.parse()?)?;
        println!("{} {} {}\n{}", measured.millis, measured.mebibytes, measured.longest_wait, measured.answer);
        return Ok(());
    }
    let rows = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(ROWS);
    let file = LogFile::create(|conn| Ok(run_migrations(conn)?))?;
    let mut conn = file.connect()?;
    fill(&mut conn, 0..rows, rows)?;
    run_migrations(&mut conn)?;
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(conn);

    println!("{rows} rows; retention deletes {}; `hand` is SQL by hand", due(rows));
    println!(
        "{:<23} {:>9} {:>9} {:>8} {:>10} {:>10} {:>9} {:>9}",
        "", "crate, ms", "hand, ms", "ratio", "crate, MiB", "hand, MiB", "wait, ms", "hand, ms"
    );
    for case in CASES {
        print_row(case, &file, rows)?;
    }
    Ok(())
}

fn print_row(case: &Case, file: &LogFile, rows: u64) -> BenchResult {
    let mut measured = [Vec::new(), Vec::new()];
    for _ in 0..if case.writes { 1 } else { READ_ROUNDS } {
        for (way, measured) in ["crate", "hand"].into_iter().zip(&mut measured) {
            measured.push(in_a_fresh_process(case, way, false, file, rows)?);
        }
    }
    let answers = measured.iter().flatten().map(|one| one.answer.trim()).collect::<BTreeSet<_>>();
    if answers.len() > 1 {
        let answers = answers.into_iter().collect::<Vec<_>>();
        return Err(format!("{}: the answers differ:\n{}", case.name, answers.join("\n")).into());
    }
    let [by_crate, by_hand] = measured.map(|mut all| {
        all.sort_by(|a, b| a.millis.total_cmp(&b.millis));
        all.swap_remove(all.len() / 2)
    });
    let waits = if case.writes {
        let wait = |way| in_a_fresh_process(case, way, true, file, rows).map(|measured| measured.longest_wait);
        format!(" {:>9.1} {:>9.1}", wait("crate")?, wait("hand")?)
    } else {
        String::new()
    };
    println!(
        "{:<23} {:>9.2} {:>9.2} {:>7.3}× {:>10.1} {:>10.1}{waits}",
        case.name,
        by_crate.millis,
        by_hand.millis,
        by_crate.millis / by_hand.millis,
        by_crate.mebibytes,
        by_hand.mebibytes,
    );
    Ok(())
}
