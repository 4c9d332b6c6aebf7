//! Many processes and threads share one log. None fails, loses an entry or sees part of a group. A writer that times
//! out gets a busy error and can retry.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use activity_log::{ActivityLogEntry, ActivityLogFilters, Error, NewActivityLogEntry};
use diesel::connection::SimpleConnection;

use crate::database::{
    ActivityLogRepository, GROUPS_ARE_CONSECUTIVE, SharedLog, connect, hold_up_writers, run_migrations, stored_seqs,
    wait_at_most,
};
use crate::support::{TestResult, everything, numbered, parameters, process_of, read_back, record_numbered};

const RECORDERS: i64 = 3;
const THREADS: i64 = 3;
/// Each thread records the first twenty of every hundred entries one by one, and the others in groups of twenty.
const ENTRIES: i64 = 200;
const GROUP_SIZE: i64 = 20;
const OLD_ENTRIES: i64 = 3_000;
const PAGE_SIZE: u32 = 37;

/// The `number`th entry of a thread. The entries of a group share an entity.
fn entry(recorder: i64, thread: i64, number: i64) -> NewActivityLogEntry {
    let actor = format!("{recorder}.{thread}");
    let group = number / GROUP_SIZE;
    let entry = numbered(OLD_ENTRIES + 1 + number).id(format!("{actor}.{number}"));
    let entry = NewActivityLogEntry { actor: actor.clone(), ..entry };
    if group % 5 == 0 { entry } else { entry.entity("group", format!("{actor}.{group}")) }
}

fn entries(recorder: i64, thread: i64, count: i64) -> Vec<NewActivityLogEntry> {
    (0..count).map(|number| entry(recorder, thread, number)).collect()
}

#[test]
fn processes_record_page_export_and_prune_concurrently_without_errors() -> TestResult {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, OLD_ENTRIES)?;

    let mut processes = Vec::new();
    for recorder in 0..RECORDERS {
        processes.push((recorder, process_of(a_process_records)?.spawn()?));
    }
    processes.push((0, process_of(a_process_prunes)?.spawn()?));
    processes.push((0, process_of(a_process_pages)?.spawn()?));
    processes.push((0, process_of(a_process_exports)?.spawn()?));
    // The processes start when they receive the URL. The readers end when their input ends, after the other processes
    // have exited.
    for (number, process) in &mut processes {
        let input = process.stdin.as_mut().ok_or("the process has no piped input")?;
        input.write_all(format!("{number} {}\n", file.url()).as_bytes())?;
    }
    for (_, process) in processes {
        let output = process.wait_with_output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
    }

    let mut conn = file.connect()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for (recorder, thread) in (0..RECORDERS).flat_map(|recorder| (0..THREADS).map(move |thread| (recorder, thread))) {
        let filters = ActivityLogFilters { actor: Some(format!("{recorder}.{thread}")), ..everything() };
        let stored = log.query_after(&filters, 0, u32::MAX)?;
        let expected = entries(recorder, thread, ENTRIES).into_iter().zip(&stored);
        assert_eq!(stored, expected.map(|(new, entry)| read_back(new, entry.seq)).collect::<Vec<_>>());
        assert_eq!(stored.len() as i64, ENTRIES);
    }
    assert_eq!(log.count(&everything())?, (RECORDERS * THREADS * ENTRIES) as u64);
    Ok(())
}

/// The parameters from the parent, and a thread that finishes when the rest of the input ends.
fn parameters_and_rest() -> TestResult<(String, i64, JoinHandle<()>)> {
    let (path, number) = parameters()?;
    Ok((path, number, thread::spawn(|| drop(std::io::read_to_string(std::io::stdin())))))
}

#[test]
#[ignore = "the test above runs this test in separate processes and passes the file"]
fn a_process_records() -> TestResult {
    let (path, recorder, _) = parameters_and_rest()?;
    let threads = (0..THREADS).map(|thread| {
        let path = path.clone();
        thread::spawn(move || record_as(&path, &entries(recorder, thread, ENTRIES)))
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(())
}

fn record_as(path: &str, entries: &[NewActivityLogEntry]) -> TestResult {
    let mut conn = connect(path)?;
    run_migrations(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for group in entries.chunk_by(|one, next| one.entity_id == next.entity_id) {
        if group.iter().all(|entry| entry.entity_id.is_some()) {
            assert_eq!(log.record_all(group)?, group.len());
        } else {
            for entry in group {
                log.record(entry)?;
            }
        }
    }
    Ok(())
}

#[test]
#[ignore = "the test above runs this test in its own process and passes the file"]
fn a_process_prunes() -> TestResult {
    let (path, ..) = parameters_and_rest()?;
    let mut conn = connect(&path)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for step in 1..=20 {
        let deleted = OLD_ENTRIES / 20;
        assert_eq!(log.prune(Some(numbered(step * deleted + 1).ts), None)?, deleted as u64);
    }
    Ok(())
}

#[test]
#[ignore = "the test above runs this test in its own process and passes the file"]
fn a_process_pages() -> TestResult {
    let (path, _, rest_of_input) = parameters_and_rest()?;
    let mut conn = connect(&path)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut reader = Reader::default();
    while !rest_of_input.is_finished() {
        let mut walk = Vec::new();
        let mut before_seq = None;
        loop {
            let page = log.page(&everything(), before_seq, PAGE_SIZE)?;
            // The cursor and the limit may each cut one group, so only those two groups may be partly there.
            let cut_by_cursor = page.entries.first().filter(|_| before_seq.is_some());
            let cut_by_limit = page.entries.last().filter(|_| page.next_before_seq.is_some());
            let cut = [cut_by_cursor, cut_by_limit].map(|entry| entry?.entity_id.as_deref());
            assert!(halves(&page.entries).iter().all(|group| cut.contains(&Some(group))), "{page:?}");
            before_seq = page.next_before_seq;
            walk.extend(page.entries);
            if before_seq.is_none() {
                break;
            }
        }
        assert!(walk.is_sorted_by(|newer, older| newer.seq > older.seq));
        reader.has_read(&walk);

        let all = log.query(&everything(), None, u32::MAX)?;
        assert!(all.is_sorted_by(|newer, older| newer.seq > older.seq));
        reader.has_read(&all);
    }
    assert!(reader.partial_reads > 0);
    Ok(())
}

#[test]
#[ignore = "the test above runs this test in its own process and passes the file"]
fn a_process_exports() -> TestResult {
    let (path, _, rest_of_input) = parameters_and_rest()?;
    let mut conn = connect(&path)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut reader = Reader::default();
    while !rest_of_input.is_finished() {
        let exported = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
        assert!(exported.is_sorted_by(|older, newer| older.seq < newer.seq));
        reader.has_read(&exported);
    }
    assert!(reader.partial_reads > 0);
    Ok(())
}

/// The groups that are only partly there, although they should not be.
fn halves(entries: &[ActivityLogEntry]) -> Vec<&str> {
    if !GROUPS_ARE_CONSECUTIVE {
        return Vec::new();
    }
    let mut sizes = BTreeMap::<&str, i64>::new();
    for group in entries.iter().filter_map(|entry| entry.entity_id.as_deref()) {
        *sizes.entry(group).or_default() += 1;
    }
    sizes.into_iter().filter(|(_, size)| *size != GROUP_SIZE).map(|(group, _)| group).collect()
}

/// Remembers the entries that were read, which must never disappear, and yields the processor now and then.
#[derive(Default)]
struct Reader {
    recorded: HashSet<String>,
    /// How often some entries were there and others still missing.
    partial_reads: usize,
}

impl Reader {
    fn has_read(&mut self, entries: &[ActivityLogEntry]) {
        assert_eq!(halves(entries), [""; 0]);
        let ids = entries.iter().map(|entry| entry.id.clone()).collect::<HashSet<_>>();
        assert_eq!(ids.len(), entries.len(), "an id was read twice");
        let recorded = ids.into_iter().filter(|id| !id.starts_with("al_")).collect::<HashSet<_>>();
        assert!(self.recorded.is_subset(&recorded), "an entry was read and then disappeared");
        self.partial_reads +=
            usize::from(!recorded.is_empty() && (recorded.len() as i64) < RECORDERS * THREADS * ENTRIES);
        self.recorded = recorded;
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_writer_that_times_out_gets_a_busy_error_and_can_retry() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut other) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 3)?;
    wait_at_most(&mut conn, Duration::from_millis(20))?;

    hold_up_writers(&mut other)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for (method, outcome) in [
        ("record", log.record(&numbered(4)).map(drop)),
        ("record_all", log.record_all(&[numbered(4), numbered(5)]).map(drop)),
        ("prune", log.prune(None, Some(1)).map(drop)),
        ("clear", log.clear().map(drop)),
    ] {
        assert!(matches!(outcome, Err(Error::Busy(_))), "{method}: {outcome:?}");
    }
    // Readers do not wait for writers.
    assert_eq!(log.count(&everything())?, 3);

    other.batch_execute("ROLLBACK")?;
    assert_eq!(log.record(&numbered(4))?, 4);
    let taken = log.record(&numbered(4));
    assert!(matches!(taken, Err(Error::DuplicateId { .. })), "{taken:?}");
    assert_eq!(log.prune(None, Some(1))?, 3);
    assert_eq!(stored_seqs(&mut conn)?, [4]);
    Ok(())
}

#[test]
fn writers_that_retry_on_busy_record_every_entry_exactly_once() -> TestResult {
    let file = SharedLog::create()?;
    let mut other = file.connect()?;
    hold_up_writers(&mut other)?;
    let (busy, was_busy) = mpsc::channel();
    let writers = (0..THREADS).map(|thread| {
        let (path, busy) = (file.url(), busy.clone());
        thread::spawn(move || record_with_retries(&path, &entries(0, thread, 50), &busy))
    });
    let writers = writers.collect::<Vec<_>>();
    drop(busy);
    // Every writer has been refused at least once before any writer can record.
    let refused = was_busy.iter().take(THREADS as usize).collect::<HashSet<_>>();
    other.batch_execute("ROLLBACK")?;
    for writer in writers {
        writer.join().map_err(|_| "a writer panicked")??;
    }
    assert_eq!(refused.len() as i64, THREADS);

    let stored = ActivityLogRepository::new(&mut other).query_after(&everything(), 0, u32::MAX)?;
    for thread in 0..THREADS {
        let of_thread = stored.iter().filter(|stored| stored.actor == format!("0.{thread}"));
        let expected = entries(0, thread, 50).into_iter().map(|entry| entry.id);
        assert!(of_thread.map(|stored| stored.id.clone()).eq(expected), "thread {thread}");
    }
    assert_eq!(stored.len() as i64, THREADS * 50);
    Ok(())
}

/// Retries without waiting, and reports the first refusal.
fn record_with_retries(path: &str, entries: &[NewActivityLogEntry], busy: &mpsc::Sender<String>) -> TestResult {
    let mut conn = connect(path)?;
    wait_at_most(&mut conn, Duration::from_millis(0))?;
    let mut reported = false;
    for entry in entries {
        while let Err(error) = ActivityLogRepository::new(&mut conn).record(entry) {
            if !matches!(error, Error::Busy(_)) {
                return Err(error.into());
            }
            if !reported {
                busy.send(entry.actor.clone())?;
                reported = true;
            }
            thread::sleep(Duration::from_micros(200));
        }
    }
    Ok(())
}
