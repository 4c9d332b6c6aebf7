//! Prune and clear delete the requested entries and nothing else.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use activity_log::{ActivityLogFilters, Error, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;

use crate::database::{ActivityLogRepository, SharedLog, empty_log, stored_seqs};
use crate::support::{TestResult, at, everything, numbered, record_numbered};

/// The time of the entry with that number.
pub(crate) fn time_of(number: i64) -> DateTime<Utc> {
    numbered(number).ts
}

/// Prunes a log of `count` numbered entries, and returns the reported number of deletions and the remaining `seq`s.
fn pruned(count: i64, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> TestResult<(u64, Vec<i64>)> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, count)?;
    let deleted = ActivityLogRepository::new(&mut conn).prune(before_ts, max_entries)?;
    Ok((deleted, stored_seqs(&mut conn)?))
}

pub(crate) fn range(from: i64, to: i64) -> Vec<i64> {
    (from..=to).collect()
}

#[test]
fn prune_by_age_deletes_older_entries_and_keeps_those_exactly_at_the_cutoff() -> TestResult {
    assert_eq!(pruned(10, Some(time_of(4)), None)?, (3, range(4, 10)));
    assert_eq!(pruned(10, Some(time_of(4) + TimeDelta::nanoseconds(1)), None)?, (4, range(5, 10)));
    assert_eq!(pruned(10, Some(time_of(4) - TimeDelta::nanoseconds(1)), None)?, (3, range(4, 10)));
    assert_eq!(pruned(10, Some(time_of(1)), None)?, (0, range(1, 10)));
    assert_eq!(pruned(10, Some(time_of(11)), None)?, (10, vec![]));
    Ok(())
}

#[test]
fn prune_by_count_keeps_the_newest() -> TestResult {
    assert_eq!(pruned(10, None, Some(4))?, (6, range(7, 10)));
    assert_eq!(pruned(10, None, Some(9))?, (1, range(2, 10)));
    for enough in [10, 11, u64::MAX] {
        assert_eq!(pruned(10, None, Some(enough))?, (0, range(1, 10)));
    }
    Ok(())
}

#[test]
fn prune_to_zero_empties_the_log() -> TestResult {
    assert_eq!(pruned(10, None, Some(0))?, (10, vec![]));
    assert_eq!(pruned(0, None, Some(0))?, (0, vec![]));
    Ok(())
}

#[test]
fn prune_by_both_applies_the_count_to_the_entries_that_age_left() -> TestResult {
    // Age deletes 1 to 3. The count then keeps the newest five of 4 to 10.
    assert_eq!(pruned(10, Some(time_of(4)), Some(5))?, (5, range(6, 10)));
    // Age leaves fewer entries than the count allows.
    assert_eq!(pruned(10, Some(time_of(8)), Some(5))?, (7, range(8, 10)));
    assert_eq!(pruned(10, Some(time_of(4)), Some(7))?, (3, range(4, 10)));
    Ok(())
}

#[test]
fn prune_by_neither_deletes_nothing() -> TestResult {
    assert_eq!(pruned(10, None, None)?, (0, range(1, 10)));
    Ok(())
}

#[test]
fn prune_by_age_uses_the_time_even_where_the_clock_jumped() -> TestResult {
    let mut conn = empty_log()?;
    let entries = [5, 1, 9, 2, 8, 3].map(numbered);
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(Some(time_of(4)), None)?, 3);
    assert_eq!(stored_seqs(&mut conn)?, [1, 3, 5]);
    Ok(())
}

#[test]
fn prune_by_both_applies_the_age_first_even_where_the_clock_jumped() -> TestResult {
    let mut conn = empty_log()?;
    // Age deletes the entries of minutes 1, 2 and 3. The count then keeps the last two of minutes 5, 9 and 8.
    let entries = [5, 1, 9, 2, 8, 3].map(numbered);
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(Some(time_of(4)), Some(2))?, 4);
    assert_eq!(stored_seqs(&mut conn)?, [3, 5]);
    Ok(())
}

#[test]
fn entries_at_the_instant_of_the_cutoff_are_treated_alike() -> TestResult {
    let mut conn = empty_log()?;
    let ts = at("2026-01-01T00:00:00Z")?;
    let entries = (0..6).map(|n| numbered(n).ts(ts)).collect::<Vec<_>>();
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record_all(&entries)?;
    assert_eq!(log.prune(Some(ts), None)?, 0);
    assert_eq!(log.prune(Some(ts), Some(2))?, 4);
    assert_eq!(log.prune(Some(ts + TimeDelta::microseconds(1)), None)?, 2);
    Ok(())
}

#[test]
fn a_cutoff_outside_the_storable_years_deletes_nothing_or_everything() -> TestResult {
    assert_eq!(pruned(3, Some(DateTime::<Utc>::MIN_UTC), None)?, (0, range(1, 3)));
    assert_eq!(pruned(3, Some(DateTime::<Utc>::MAX_UTC), None)?, (3, vec![]));
    assert_eq!(pruned(3, Some(DateTime::<Utc>::MAX_UTC), Some(2))?, (3, vec![]));
    assert_eq!(pruned(3, Some(DateTime::<Utc>::MIN_UTC), Some(2))?, (1, range(2, 3)));
    Ok(())
}

#[test]
fn prune_by_count_counts_rows_despite_gaps() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 100)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq % 10 != 0")?;
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(None, Some(3))?, 7);
    assert_eq!(stored_seqs(&mut conn)?, [80, 90, 100]);
    Ok(())
}

#[test]
fn prune_in_a_transaction_is_part_of_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2_000)?;
    let rolled_back = conn.transaction::<(), Error, _>(|conn| {
        assert_eq!(ActivityLogRepository::new(conn).prune(Some(time_of(501)), Some(10))?, 1_990);
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 2_000);

    conn.transaction(|conn| ActivityLogRepository::new(conn).prune(Some(time_of(501)), Some(10)))?;
    assert_eq!(stored_seqs(&mut conn)?, range(1_991, 2_000));
    Ok(())
}

#[test]
fn a_writer_records_while_a_prune_is_under_way() -> TestResult {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, 20_000)?;
    let (started, starting) = mpsc::channel();
    let mut pruner = file.connect()?;
    let pruning = thread::spawn(move || {
        started.send(()).ok();
        ActivityLogRepository::new(&mut pruner).prune(None, Some(10)).map_err(|error| error.to_string())
    });
    starting.recv()?;

    let mut conn = file.connect()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut recorded = Vec::new();
    while !pruning.is_finished() {
        recorded.push(log.record(&NewActivityLogEntry::new("auth", "a", "b", "c"))?);
        thread::sleep(Duration::from_millis(1));
    }
    // Entries recorded after the prune began are neither pruned nor counted.
    let deleted = pruning.join().map_err(|_| "the pruner panicked")??;
    let left = stored_seqs(&mut conn)?;
    assert!(recorded.iter().all(|seq| left.contains(seq)));
    assert_eq!(deleted + left.len() as u64, 20_000 + recorded.len() as u64);
    assert!(left.len() >= 10 && left.len() <= 10 + recorded.len());
    Ok(())
}

#[test]
fn an_old_entry_recorded_while_a_prune_is_under_way_stays() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 1_200)?;
    let mut late = Some(numbered(1).id("late"));
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && query.to_string().starts_with("DELETE")
            && let Some(late) = late.take()
        {
            ActivityLogRepository::new(&mut writer).record(&late).expect("the prune holds no lock yet");
        }
    });
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(Some(time_of(1_000)), None)?, 999);
    assert_eq!(stored_seqs(&mut conn)?, range(1_000, 1_201));
    Ok(())
}

#[test]
fn clear_deletes_everything_and_returns_the_count() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 7)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.clear()?, 7);
    assert_eq!(log.count(&everything())?, 0);
    assert_eq!(log.clear()?, 0);
    Ok(())
}

#[test]
fn a_seq_is_never_reused_even_after_a_clear_or_a_prune_to_zero() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.clear()?;
    assert_eq!(log.record(&numbered(1))?, 4);
    log.prune(None, Some(0))?;
    assert_eq!(log.record(&numbered(1))?, 5);
    Ok(())
}

#[test]
fn count_counts_the_matching_entries() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 7)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.count(&everything())?, 7);
    assert_eq!(log.count(&ActivityLogFilters { since: Some(time_of(5)), ..everything() })?, 3);
    assert_eq!(log.count(&ActivityLogFilters { actor: Some("nobody".to_owned()), ..everything() })?, 0);
    Ok(())
}
