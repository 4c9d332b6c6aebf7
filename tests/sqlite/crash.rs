//! A process is killed while it works: what it had acknowledged is there, nothing is there by half, and the next start
//! needs no help.

#![cfg(unix)] // Only there does the kill leave a trace, by which it is told from an end of the process's own.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::thread::sleep;
use std::time::{Duration, Instant};

use activity_log::{ActivityLogEntry, ActivityLogRepository, NewActivityLogEntry, connect, run_migrations};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::database::SharedLog;
use crate::support::{TestResult, at, everything, numbered, parameters, process_of, read_back};

/// What a line of ours begins with, among those of the test harness.
const SAID: &str = "said: ";
const SIGKILL: i32 = 9;

/// This program, running one of the ignored tests below.
struct Worker {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts it with a path and a number, and keeps its input open: at the end of that it would end.
    fn start(test: impl Fn() -> TestResult, path: &str, number: i64) -> TestResult<Self> {
        let mut process = process_of(test)?.arg("--nocapture").spawn()?;
        let output = process.stdout.take().ok_or("its output is not ours")?;
        let mut worker = Self { process, lines: BufReader::new(output).lines() };
        let input = worker.process.stdin.as_mut().ok_or("its input is not ours")?;
        input.write_all(format!("{number} {path}\n").as_bytes())?;
        Ok(worker)
    }

    /// The next thing that it says, or `None` when it has ended.
    fn next(&mut self) -> TestResult<Option<String>> {
        for line in &mut self.lines {
            if let Some(said) = line?.strip_prefix(SAID) {
                return Ok(Some(said.to_owned()));
            }
        }
        Ok(None)
    }

    /// The next thing that it says, which it lives to say.
    fn hear(&mut self) -> TestResult<String> {
        Ok(self.next()?.ok_or("it ended by itself")?)
    }

    /// Kills it, which must not have ended by itself, and returns what it had said besides.
    fn kill(mut self) -> TestResult<Vec<String>> {
        self.process.kill()?;
        let status = self.process.wait()?;
        assert_eq!(status.signal(), Some(SIGKILL), "it ended by itself: {status}");
        let mut said = Vec::new();
        while let Some(line) = self.next()? {
            said.push(line);
        }
        Ok(said)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Says it to the parent, in one write that is whole or not at all.
fn say(what: impl std::fmt::Display) -> TestResult {
    let mut output = std::io::stdout().lock();
    // The harness may have left a line unended.
    output.write_all(format!("\n{SAID}{what}\n").as_bytes())?;
    Ok(output.flush()?)
}

/// Ends only if the parent does.
fn wait_to_be_killed() -> TestResult {
    std::io::read_to_string(std::io::stdin())?;
    Ok(())
}

fn random(below: u64) -> u64 {
    RandomState::new().hash_one(()) % below
}

fn wait_up_to(longest: Duration) {
    sleep(longest * random(1_000) as u32 / 1_000);
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut SqliteConnection, sql: &str) -> TestResult<Vec<String>> {
    Ok(diesel::sql_query(sql).load::<Line>(conn)?.into_iter().map(|row| row.line).collect())
}

/// Starts as a server does, and finds the file sound.
fn start(path: &str) -> TestResult<SqliteConnection> {
    let mut conn = connect(path)?;
    run_migrations(&mut conn)?;
    assert_eq!(lines(&mut conn, "SELECT integrity_check AS line FROM pragma_integrity_check")?, ["ok"]);
    Ok(conn)
}

#[test]
fn every_entry_that_was_acknowledged_before_a_kill_is_there() -> TestResult {
    let file = SharedLog::create()?;
    // Of each entry, by its number, counted from 1.
    let mut seqs = Vec::<i64>::new();
    for round in 0..40 {
        let mut worker = Worker::start(a_process_records_one_by_one, &file.url(), seqs.len() as i64 + 1)?;
        for _ in 0..random(25) {
            seqs.push(worker.hear()?.parse()?);
        }
        wait_up_to(Duration::from_millis(4));
        for seq in worker.kill()? {
            seqs.push(seq.parse()?);
        }

        let mut conn = start(&file.url())?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let stored = log.query_after(&everything(), 0, u32::MAX)?;
        // One may have been recorded and not yet acknowledged.
        seqs.extend(stored.get(seqs.len()).map(|entry| entry.seq));
        let expected = (1..).zip(&seqs).map(|(number, seq)| read_back(numbered(number), *seq)).collect::<Vec<_>>();
        assert_eq!(stored, expected, "round {round}");
        seqs.push(log.record(&numbered(seqs.len() as i64 + 1))?);
    }
    Ok(())
}

#[test]
#[ignore = "a test above runs it in a process of its own, and says on which file"]
fn a_process_records_one_by_one() -> TestResult {
    let (path, first) = parameters()?;
    let mut conn = connect(&path)?;
    run_migrations(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for number in first.. {
        say(log.record(&numbered(number))?)?;
    }
    Ok(())
}

const GROUP_SIZE: i64 = 150;

fn group(number: i64) -> Vec<NewActivityLogEntry> {
    (0..GROUP_SIZE).map(|i| numbered(number * GROUP_SIZE + i).entity("group", number.to_string())).collect()
}

#[test]
fn no_record_all_is_there_by_half_after_a_kill() -> TestResult {
    let file = SharedLog::create()?;
    // Groups by their number, each with whether it is known to be stored, or may be.
    let mut groups = BTreeMap::<i64, bool>::new();
    let mut interrupted = 0;
    for round in 0..15 {
        let first = round * 1_000;
        let mut worker = Worker::start(a_process_records_in_groups, &file.url(), first)?;
        let mut said = (0..=random(8)).map(|_| worker.hear()).collect::<TestResult<Vec<_>>>()?;
        wait_up_to(Duration::from_millis(20));
        said.extend(worker.kill()?);
        for line in said {
            let (what, number) = line.split_once(' ').ok_or("it says what and which")?;
            groups.insert(number.parse()?, what == "recorded");
        }

        let mut conn = start(&file.url())?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let stored = log.query_after(&everything(), 0, u32::MAX)?;
        let is_stored = |number: i64| stored.iter().any(|entry| entry.entity_id == Some(number.to_string()));
        // One may have been recorded and not yet acknowledged.
        let begun = groups.len();
        groups.retain(|number, known| *known || is_stored(*number));
        groups.values_mut().for_each(|known| *known = true);
        interrupted += begun - groups.len();
        let expected = stored.iter().zip(groups.keys().flat_map(|number| group(*number)));
        let expected = expected.map(|(entry, new)| read_back(new, entry.seq)).collect::<Vec<_>>();
        assert_eq!(stored, expected, "round {round}");
        assert_eq!(stored.len() as i64, groups.len() as i64 * GROUP_SIZE, "round {round}");
        log.record_all(&group(first + 999))?;
        groups.insert(first + 999, true);
    }
    assert!(interrupted > 0, "no kill came in the middle of a record_all");
    Ok(())
}

#[test]
#[ignore = "a test above runs it in a process of its own, and says on which file"]
fn a_process_records_in_groups() -> TestResult {
    let (path, first) = parameters()?;
    let mut conn = connect(&path)?;
    run_migrations(&mut conn)?;
    // So little that pages go to the file long before the commit.
    conn.batch_execute("PRAGMA cache_size = 5")?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for number in first.. {
        say(format!("recording {number}"))?;
        log.record_all(&group(number))?;
        say(format!("recorded {number}"))?;
    }
    Ok(())
}

const CUT_OFF: &str = "2050-01-01T00:00:00Z";
const KEPT: usize = 500;

fn is_among(entry: &ActivityLogEntry, entries: &[ActivityLogEntry]) -> bool {
    entries.binary_search_by_key(&entry.seq, |one| one.seq).is_ok()
}

#[test]
fn a_killed_prune_has_deleted_only_what_was_due() -> TestResult {
    let file = SharedLog::create()?;
    let cut_off = at(CUT_OFF)?;
    let mut interrupted = 0;
    for round in 0..15 {
        let mut conn = start(&file.url())?;
        let mut log = ActivityLogRepository::new(&mut conn);
        // Every other one is due by its age, and of the rest all but the newest by their number.
        let entries = (round * 3_000..(round + 1) * 3_000)
            .map(|number| if number % 2 == 0 { numbered(number).ts(cut_off) } else { numbered(number) })
            .collect::<Vec<_>>();
        log.record_all(&entries)?;
        let before = log.query_after(&everything(), 0, u32::MAX)?;
        let mut stay = before.clone();
        stay.retain(|entry| entry.ts >= cut_off);
        stay.drain(..stay.len() - KEPT);

        let mut worker = Worker::start(a_process_prunes, &file.url(), 0)?;
        for _ in 0..=random(3) {
            assert_eq!(worker.hear()?, "deleting");
        }
        wait_up_to(Duration::from_millis(15));
        worker.kill()?;

        let mut conn = start(&file.url())?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let left = log.query_after(&everything(), 0, u32::MAX)?;
        assert!(
            before.iter().filter(|entry| is_among(entry, &left)).eq(&left),
            "round {round}: what is left was there"
        );
        assert!(left.iter().filter(|entry| is_among(entry, &stay)).eq(&stay), "round {round}: what is to stay is left");
        interrupted += usize::from(left.len() < before.len() && left.len() > stay.len());
        let still_due = left.len() - stay.len();
        assert_eq!(log.prune(Some(cut_off), Some(KEPT as u64))?, still_due as u64, "round {round}");
        assert_eq!(log.query_after(&everything(), 0, u32::MAX)?, stay, "round {round}");
    }
    assert!(interrupted > 0, "no kill came in the middle of a prune");
    Ok(())
}

#[test]
#[ignore = "a test above runs it in a process of its own, and says on which file"]
fn a_process_prunes() -> TestResult {
    let (path, _) = parameters()?;
    let mut conn = connect(&path)?;
    run_migrations(&mut conn)?;
    conn.set_instrumentation(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && query.to_string().starts_with("DELETE")
        {
            say("deleting").ok();
        }
    });
    ActivityLogRepository::new(&mut conn).prune(Some(at(CUT_OFF)?), Some(KEPT as u64))?;
    wait_to_be_killed()
}

#[test]
fn a_first_start_that_was_killed_is_made_good_by_the_next() -> TestResult {
    const ROUNDS: u32 = 30;
    const SCHEMA: &str = "SELECT sql AS line FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();

    // One that is left alone says how long a start takes, and what it leads to.
    let mut worker = Worker::start(a_process_starts_and_records, &path("whole.db"), 1)?;
    assert_eq!(worker.hear()?, "starting");
    let started = Instant::now();
    assert_eq!([worker.hear()?, worker.hear()?], ["migrated", "recorded"]);
    let whole = started.elapsed();
    worker.kill()?;
    let schema = lines(&mut start(&path("whole.db"))?, SCHEMA)?;
    assert!(schema.len() > 5, "{schema:?}");

    let mut interrupted = 0;
    for round in 0..ROUNDS {
        let path = path(&format!("{round}.db"));
        let mut recorded = Vec::new();
        for number in [1, 2] {
            let mut worker = Worker::start(a_process_starts_and_records, &path, number)?;
            assert_eq!(worker.hear()?, "starting");
            // Every part of a start has its rounds, the first and the last as well.
            sleep(whole * round / ROUNDS);
            wait_up_to(whole / ROUNDS);
            let said = worker.kill()?;
            interrupted += usize::from(said.is_empty() && Path::new(&path).exists());
            recorded.extend(said.contains(&"recorded".to_owned()).then_some(numbered(number)));
        }

        let mut conn = start(&path)?;
        assert_eq!(lines(&mut conn, SCHEMA)?, schema, "round {round}");
        let mut log = ActivityLogRepository::new(&mut conn);
        log.record(&numbered(3))?;
        recorded.push(numbered(3));
        let stored = log.query_after(&everything(), 0, u32::MAX)?;
        for new in recorded {
            assert!(stored.iter().any(|entry| *entry == read_back(new.clone(), entry.seq)), "round {round}: {new:?}");
        }
    }
    assert!(interrupted > 0, "no kill came in the middle of a start");
    Ok(())
}

#[test]
#[ignore = "a test above runs it in a process of its own, and says on which file"]
fn a_process_starts_and_records() -> TestResult {
    let (path, number) = parameters()?;
    say("starting")?;
    let mut conn = connect(&path)?;
    run_migrations(&mut conn)?;
    say("migrated")?;
    ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
    say("recorded")?;
    wait_to_be_killed()
}
