//! A process is killed while it works. Acknowledged entries are there, nothing is partly there, and the next start
//! needs no help.

#![cfg(unix)] // As `Worker` is.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use activity_log::{ActivityLogEntry, ActivityLogRepository, NewActivityLogEntry, connect, run_migrations};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::chance::{random, wait_up_to};
use crate::database::SharedLog;
use crate::support::{TestResult, at, everything, numbered, parameters, read_back};
use crate::workers::{Worker, say};

/// Ends only when the parent ends.
pub(crate) fn wait_to_be_killed() -> TestResult {
    std::io::read_to_string(std::io::stdin())?;
    Ok(())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut SqliteConnection, sql: &str) -> TestResult<Vec<String>> {
    Ok(diesel::sql_query(sql).load::<Line>(conn)?.into_iter().map(|row| row.line).collect())
}

/// Starts like a server, and checks the integrity of the file.
pub(crate) fn start(path: &str) -> TestResult<SqliteConnection> {
    let mut conn = connect(path)?;
    run_migrations(&mut conn)?;
    assert_eq!(lines(&mut conn, "SELECT integrity_check AS line FROM pragma_integrity_check")?, ["ok"]);
    Ok(conn)
}

#[test]
fn every_entry_acknowledged_before_a_kill_is_there() -> TestResult {
    let file = SharedLog::create()?;
    // The `seq` of each entry, in the order of the entry numbers, which start at 1.
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
        // The last entry may have been recorded without being acknowledged.
        seqs.extend(stored.get(seqs.len()).map(|entry| entry.seq));
        let expected = (1..).zip(&seqs).map(|(number, seq)| read_back(numbered(number), *seq)).collect::<Vec<_>>();
        assert_eq!(stored, expected, "round {round}");
        seqs.push(log.record(&numbered(seqs.len() as i64 + 1))?);
    }
    Ok(())
}

#[test]
#[ignore = "a test above runs this test in its own process and passes the file"]
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
fn record_all_is_all_or_nothing_after_a_kill() -> TestResult {
    let file = SharedLog::create()?;
    // Groups by their number, each with whether it is certainly or only possibly stored.
    let mut groups = BTreeMap::<i64, bool>::new();
    let mut interrupted = 0;
    for round in 0..15 {
        let first = round * 1_000;
        let mut worker = Worker::start(a_process_records_in_groups, &file.url(), first)?;
        let mut said = (0..=random(8)).map(|_| worker.hear()).collect::<TestResult<Vec<_>>>()?;
        wait_up_to(Duration::from_millis(20));
        said.extend(worker.kill()?);
        for line in said {
            let (what, number) = line.split_once(' ').ok_or("a message needs a word and a number")?;
            groups.insert(number.parse()?, what == "recorded");
        }

        let mut conn = start(&file.url())?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let stored = log.query_after(&everything(), 0, u32::MAX)?;
        let is_stored = |number: i64| stored.iter().any(|entry| entry.entity_id == Some(number.to_string()));
        // The last group may have been recorded without being acknowledged.
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
    assert!(interrupted > 0, "no kill interrupted a record_all");
    Ok(())
}

#[test]
#[ignore = "a test above runs this test in its own process and passes the file"]
fn a_process_records_in_groups() -> TestResult {
    let (path, first) = parameters()?;
    let mut conn = connect(&path)?;
    run_migrations(&mut conn)?;
    // A cache this small spills pages to the file long before the commit.
    conn.batch_execute("PRAGMA cache_size = 5")?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for number in first.. {
        say(format!("recording {number}"))?;
        log.record_all(&group(number))?;
        say(format!("recorded {number}"))?;
    }
    Ok(())
}

const CUTOFF: &str = "2050-01-01T00:00:00Z";
const KEPT: usize = 500;

fn is_among(entry: &ActivityLogEntry, entries: &[ActivityLogEntry]) -> bool {
    entries.binary_search_by_key(&entry.seq, |one| one.seq).is_ok()
}

#[test]
fn a_killed_prune_has_deleted_only_entries_that_were_due() -> TestResult {
    let file = SharedLog::create()?;
    let cutoff = at(CUTOFF)?;
    let mut interrupted = 0;
    for round in 0..15 {
        let mut conn = start(&file.url())?;
        let mut log = ActivityLogRepository::new(&mut conn);
        // Age makes every other entry due. Of the rest, the count keeps only the newest.
        let entries = (round * 3_000..(round + 1) * 3_000)
            .map(|number| if number % 2 == 0 { numbered(number).ts(cutoff) } else { numbered(number) })
            .collect::<Vec<_>>();
        log.record_all(&entries)?;
        let before = log.query_after(&everything(), 0, u32::MAX)?;
        let mut stay = before.clone();
        stay.retain(|entry| entry.ts >= cutoff);
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
            "round {round}: every remaining entry was there before"
        );
        assert!(
            left.iter().filter(|entry| is_among(entry, &stay)).eq(&stay),
            "round {round}: every entry to keep remains"
        );
        interrupted += usize::from(left.len() < before.len() && left.len() > stay.len());
        let still_due = left.len() - stay.len();
        assert_eq!(log.prune(Some(cutoff), Some(KEPT as u64))?, still_due as u64, "round {round}");
        assert_eq!(log.query_after(&everything(), 0, u32::MAX)?, stay, "round {round}");
    }
    assert!(interrupted > 0, "no kill interrupted a prune");
    Ok(())
}

#[test]
#[ignore = "a test above runs this test in its own process and passes the file"]
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
    ActivityLogRepository::new(&mut conn).prune(Some(at(CUTOFF)?), Some(KEPT as u64))?;
    wait_to_be_killed()
}

#[test]
fn the_next_start_completes_a_first_start_that_was_killed() -> TestResult {
    const ROUNDS: u32 = 30;
    const SCHEMA: &str = "SELECT sql AS line FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();

    // An uninterrupted start shows how long a start takes and which schema results.
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
            // The kills are spread over the whole start, including its first and last moments.
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
    assert!(interrupted > 0, "no kill interrupted a start");
    Ok(())
}

#[test]
#[ignore = "a test above runs this test in its own process and passes the file"]
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
