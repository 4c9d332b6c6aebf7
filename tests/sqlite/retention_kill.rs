//! A process is killed while it archives and deletes. Every entry is in the log or in the archive.

#![cfg(unix)] // Only Unix reports the signal that tells a kill from an ordinary exit.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use activity_log::{
    ActivityLogEntry, ActivityLogRepository, RetentionHooks, RetentionPolicy, RetentionReport, connect, export,
};
use chrono::{TimeDelta, Utc};

use crate::chance::{random, wait_up_to};
use crate::crash::{start, wait_to_be_killed};
use crate::database::SharedLog;
use crate::support::{TestResult, everything, numbered, parameters};
use crate::workers::{Worker, say};

const ENTRIES: i64 = 15_000;
const KEPT: u64 = 500;

/// How many messages of a process are waited for at most.
const MAX_HEARD: u64 = 2;

fn policy() -> RetentionPolicy {
    RetentionPolicy::new().max_age(TimeDelta::zero()).keep_at_least(KEPT)
}

/// Applies the policy with the archive beside the database.
fn archive_and_delete(path: &str, mut progress: impl FnMut(&RetentionReport) + Send) -> TestResult<RetentionReport> {
    let mut conn = connect(path)?;
    let mut archive = export::FileArchive::open(format!("{path}.ndjson"))?;
    let hooks = RetentionHooks::new().archive(&mut archive).progress(&mut progress);
    Ok(ActivityLogRepository::new(&mut conn).apply_retention_with(
        &policy(),
        Utc::now(),
        &AtomicBool::new(false),
        hooks,
    )?)
}

/// The entries in the archive by their `seq`, how many there are twice, and how many lines are torn.
fn archived(path: &str) -> TestResult<(BTreeMap<i64, ActivityLogEntry>, usize, usize)> {
    let (mut entries, mut repeated, mut torn) = (BTreeMap::new(), 0, 0);
    let file = match File::open(format!("{path}.ndjson")) {
        Ok(file) => file,
        // The process was killed before it had opened its archive.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((entries, 0, 0)),
        Err(error) => return Err(error.into()),
    };
    for entry in export::read_ndjson(BufReader::new(file)) {
        match entry {
            Ok(entry) => {
                if let Some(before) = entries.insert(entry.seq, entry.clone()) {
                    assert_eq!(before, entry);
                    repeated += 1;
                }
            }
            Err(_) => torn += 1,
        }
    }
    Ok((entries, repeated, torn))
}

#[test]
fn a_killed_run_with_an_archive_loses_nothing_and_the_next_one_goes_on() -> TestResult {
    let file = SharedLog::create()?;
    let path = file.url();
    let entries = (1..=ENTRIES).map(numbered).collect::<Vec<_>>();
    let mut conn = start(&path)?;
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    let before = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, u32::MAX)?;
    drop(conn);

    let mut kills = 0;
    for round in 0..12 {
        let mut worker = Worker::start(a_process_archives_and_deletes, &path, 0)?;
        for _ in 0..random(MAX_HEARD + 1) {
            worker.hear()?;
        }
        wait_up_to(Duration::from_millis(30));
        worker.kill()?;
        kills += 1;

        let mut conn = start(&path)?;
        let left = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, u32::MAX)?;
        let (in_archive, _, torn) = archived(&path)?;
        let mut all = in_archive;
        let in_both = left.iter().filter(|entry| all.contains_key(&entry.seq)).count();
        all.extend(left.into_iter().map(|entry| (entry.seq, entry)));
        assert!(all.into_values().eq(before.iter().cloned()), "round {round}: an entry is nowhere, or changed");
        assert!(in_both <= 8_192, "round {round}: more than a batch was archived and not deleted: {in_both}");
        assert!(torn <= kills, "round {round}: {torn}");
    }

    archive_and_delete(&path, |_| {})?;
    let mut conn = start(&path)?;
    let left = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, u32::MAX)?;
    let (in_archive, _, _) = archived(&path)?;
    let (due, kept) = before.split_at(before.len() - KEPT as usize);
    assert_eq!(left, kept);
    assert!(in_archive.into_values().eq(due.iter().cloned()));
    Ok(())
}

#[test]
#[ignore = "a test above runs this test in its own process and passes the file"]
fn a_process_archives_and_deletes() -> TestResult {
    let (path, _) = parameters()?;
    archive_and_delete(&path, |report| drop(say(report.deleted)))?;
    // When little was left, the test still waits for this.
    for _ in 0..MAX_HEARD {
        say("done")?;
    }
    wait_to_be_killed()
}
