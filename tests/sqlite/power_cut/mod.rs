//! A power cut loses what was not synced. The log has lost nothing that was acknowledged, whenever the power is cut.
//!
//! A process works on a log while a library in front of libc notes what it writes and syncs. From the notes, each test makes
//! the files as they may be after a power cut at some moment, and opens the log in them.

#![cfg(target_os = "linux")]

mod disk;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use activity_log::{ActivityLogRepository, check, connect, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::database::stored_seqs;
use crate::power_cut::disk::{Change, after_power_cut, read_notes};
use crate::support::{TestResult, numbered, parameters, process_of};

/// What the process does, one after the other. It acknowledges each when it has returned.
enum Work {
    Record,
    RecordAll(i64),
    Prune(u64),
}

fn work() -> Vec<Work> {
    let mut work = Vec::new();
    for round in 0..6 {
        work.extend((0..25).map(|_| Work::Record));
        work.push(Work::RecordAll(40 + 1_500 * (round % 2)));
        work.push(Work::Record);
        if round > 2 {
            work.push(Work::Prune(700));
        }
    }
    work
}

/// The `seq`s that are there after so much of the work.
fn expected(done: usize) -> BTreeSet<i64> {
    let (mut seqs, mut last) = (BTreeSet::new(), 0);
    for work in work().into_iter().take(done) {
        let before = last;
        match work {
            Work::Record => last += 1,
            Work::RecordAll(entries) => last += entries,
            Work::Prune(kept) => {
                while seqs.len() > kept as usize {
                    seqs.pop_first();
                }
            }
        }
        seqs.extend(before + 1..=last);
    }
    seqs
}

#[test]
#[ignore = "the tests below run this test in its own process and pass the file"]
fn a_process_works_and_acknowledges() -> TestResult {
    let (url, synchronous) = parameters()?;
    let mut acknowledged = File::create(format!("{url}.acknowledged"))?;
    let mut conn = connect(&url)?;
    // Checkpoints are what writes to the database's own file, so there are many.
    conn.batch_execute(&format!("PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 20"))?;
    run_migrations(&mut conn)?;
    acknowledged.write_all(b"s")?;
    let mut number = 0;
    for work in work() {
        let mut log = ActivityLogRepository::new(&mut conn);
        let mut next = || {
            number += 1;
            numbered(number)
        };
        match work {
            Work::Record => drop(log.record(&next())?),
            Work::RecordAll(entries) => drop(log.record_all(&(0..entries).map(|_| next()).collect::<Vec<_>>())?),
            Work::Prune(kept) => drop(log.prune(None, Some(kept))?),
        }
        acknowledged.write_all(b"a")?;
    }
    // A clean end would leave nothing to lose.
    std::process::exit(0);
}

/// Builds the library that notes what a process writes.
fn shim(folder: &Path) -> TestResult<String> {
    let library = folder.join("shim.so").display().to_string();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sqlite/power_cut/shim.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, source]).status()?;
    if compiled.success() { Ok(library) } else { Err("the C compiler failed".into()) }
}

/// What the process did to the files of its log.
fn changes(synchronous: i64) -> TestResult<Vec<(String, Change)>> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log");
    fs::create_dir(&log)?;
    let notes = folder.path().join("notes");
    let mut process = process_of(a_process_works_and_acknowledges)?
        .env("LD_PRELOAD", shim(folder.path())?)
        .env("POWER_CUT_NOTES", &notes)
        .env("POWER_CUT_FOLDER", &log)
        .stdout(Stdio::null())
        .spawn()?;
    writeln!(process.stdin.take().ok_or("no standard input")?, "{synchronous} {}", log.join("log.db").display())?;
    assert!(process.wait()?.success());
    read_notes(&fs::read(notes)?)
}

#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Cuts the power after so many changes, and returns what is wrong with the log then.
fn fault_after(changes: &[(String, Change)], cut: usize, seed: u64) -> TestResult<Option<String>> {
    let changes = changes.get(..cut).unwrap_or_default();
    let acknowledgements = changes.iter().filter(|(path, _)| path.ends_with(".acknowledged")).count();
    let Some(done) = acknowledgements.checked_sub(1) else { return Ok(None) };

    let mut chosen = 0_u64;
    let files = after_power_cut(changes, |possibilities| {
        chosen += 1;
        let random = BuildHasherDefault::<DefaultHasher>::default().hash_one((seed, chosen));
        usize::try_from(random % possibilities as u64).unwrap_or_default()
    });
    let folder = tempfile::tempdir()?;
    for (path, content) in files {
        let name = Path::new(&path).file_name().ok_or("no name")?;
        if !path.ends_with("-shm") && !path.ends_with(".acknowledged") {
            fs::write(folder.path().join(name), content)?;
        }
    }
    let examine = || -> TestResult<Option<String>> {
        let mut conn = connect(&folder.path().join("log.db").display().to_string())?;
        let integrity = diesel::sql_query("PRAGMA integrity_check").get_result::<Verdict>(&mut conn)?.integrity_check;
        if integrity != "ok" {
            return Ok(Some(integrity));
        }
        run_migrations(&mut conn)?;
        let problems = check(&mut conn)?;
        let stored = stored_seqs(&mut conn)?.into_iter().collect::<BTreeSet<_>>();
        let (least, most) = (expected(done), expected(done + 1));
        // What was under way may have happened, for a prune in part.
        let is_prune_in_part = most.is_subset(&stored) && stored.is_subset(&least);
        let is_right = stored == least || stored == most || is_prune_in_part;
        Ok((!is_right || !problems.is_empty())
            .then(|| format!("{} rows, between {} and {}: {problems:?}", stored.len(), least.len(), most.len())))
    };
    Ok(examine().unwrap_or_else(|error| Some(error.to_string())))
}

/// The faults after so many power cuts at moments spread over the work.
fn faults(changes: &[(String, Change)], cuts: usize) -> TestResult<Vec<String>> {
    let mut faults = Vec::new();
    for number in 0..cuts {
        let cut = changes.len() * (number + 1) / cuts;
        faults.extend(fault_after(changes, cut, number as u64)?.map(|fault| format!("cut after {cut}: {fault}")));
    }
    Ok(faults)
}

#[test]
fn every_acknowledged_entry_survives_a_power_cut_at_any_moment() -> TestResult {
    let changes = changes(2)?;
    assert!(changes.len() > 1_000, "{}", changes.len());
    assert_eq!(faults(&changes, 150)?, Vec::<String>::new());
    Ok(())
}

/// So it is the syncs that the test above relies on.
#[test]
fn without_syncs_power_cuts_lose_entries() -> TestResult {
    let faults = faults(&changes(0)?, 40)?;
    assert!(faults.len() > 10, "{}", faults.len());
    Ok(())
}
