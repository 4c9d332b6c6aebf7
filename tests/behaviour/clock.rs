//! A clock that goes back, jumps ahead or stands still never disturbs the log.

use activity_log::ActivityLogFilters;
use chrono::{DateTime, Utc};

use crate::database::{ActivityLogRepository, Connection, empty_log, stored_seqs};
use crate::support::{TestResult, everything, numbered, seqs};

/// A log whose entries 1, 2, 3, … happened at these minutes, by their server's clock.
fn log_with_clock(minutes: &[i64]) -> TestResult<Connection> {
    let mut conn = empty_log()?;
    let entries = (1..).zip(minutes).map(|(number, minute)| numbered(number).ts(minute_of(*minute)));
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    Ok(conn)
}

fn minute_of(minute: i64) -> DateTime<Utc> {
    numbered(minute).ts
}

fn window(since: i64, until: i64) -> ActivityLogFilters {
    ActivityLogFilters { since: Some(minute_of(since)), until: Some(minute_of(until)), ..everything() }
}

fn walk(conn: &mut Connection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let mut log = ActivityLogRepository::new(conn);
    let mut seen = Vec::new();
    let mut before_seq = None;
    loop {
        let page = log.page(filters, before_seq, 2)?;
        seen.extend(seqs(&page.entries));
        before_seq = page.next_before_seq;
        if before_seq.is_none() {
            return Ok(seen);
        }
    }
}

fn export(conn: &mut Connection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let mut log = ActivityLogRepository::new(conn);
    let entries = log.iter_export(filters)?.collect::<activity_log::Result<Vec<_>>>()?;
    Ok(seqs(&entries))
}

const BACK: &[i64] = &[10, 11, 12, 3, 4, 5, 13];
const AHEAD: &[i64] = &[10, 11, 900, 901, 12, 13];
const REPEATED: &[i64] = &[10, 11, 11, 11, 10, 11, 12];

#[test]
fn pages_and_exports_follow_the_recording_order_whatever_the_clock_says() -> TestResult {
    for minutes in [BACK, AHEAD, REPEATED] {
        let mut conn = log_with_clock(minutes)?;
        let recorded = (1..=minutes.len() as i64).collect::<Vec<_>>();
        assert_eq!(export(&mut conn, &everything())?, recorded, "{minutes:?}");
        let newest_first = recorded.into_iter().rev().collect::<Vec<_>>();
        assert_eq!(walk(&mut conn, &everything())?, newest_first, "{minutes:?}");
    }
    Ok(())
}

#[test]
fn a_time_window_finds_the_entries_in_it_wherever_they_were_recorded() -> TestResult {
    for (minutes, filters, inside) in [
        (BACK, window(4, 11), vec![1, 2, 5, 6]),
        (BACK, window(12, 13), vec![3, 7]),
        (AHEAD, window(11, 13), vec![2, 5, 6]),
        (AHEAD, window(500, 1_000), vec![3, 4]),
        (REPEATED, window(11, 11), vec![2, 3, 4, 6]),
        (REPEATED, window(10, 10), vec![1, 5]),
    ] {
        let mut conn = log_with_clock(minutes)?;
        assert_eq!(export(&mut conn, &filters)?, inside, "{minutes:?}");
        assert_eq!(ActivityLogRepository::new(&mut conn).count(&filters)?, inside.len() as u64, "{minutes:?}");
        let newest_first = inside.into_iter().rev().collect::<Vec<_>>();
        assert_eq!(walk(&mut conn, &filters)?, newest_first, "{minutes:?}");
    }
    Ok(())
}

#[test]
fn a_prune_by_age_deletes_entries_that_are_old_by_the_clock_wherever_they_were_recorded() -> TestResult {
    for (minutes, before, left) in [
        (BACK, 10, vec![1, 2, 3, 7]),
        (BACK, 12, vec![3, 7]),
        (AHEAD, 12, vec![3, 4, 5, 6]),
        (AHEAD, 14, vec![3, 4]),
        (REPEATED, 11, vec![2, 3, 4, 6, 7]),
        (REPEATED, 12, vec![7]),
    ] {
        let mut conn = log_with_clock(minutes)?;
        let deleted = ActivityLogRepository::new(&mut conn).prune(Some(minute_of(before)), None)?;
        assert_eq!(stored_seqs(&mut conn)?, left, "{minutes:?} before {before}");
        assert_eq!(deleted as usize, minutes.len() - left.len());
    }
    Ok(())
}

#[test]
fn a_prune_by_count_keeps_the_last_recorded_entries_whatever_the_clock_says() -> TestResult {
    for minutes in [BACK, AHEAD, REPEATED] {
        let mut conn = log_with_clock(minutes)?;
        ActivityLogRepository::new(&mut conn).prune(None, Some(3))?;
        let count = minutes.len() as i64;
        assert_eq!(stored_seqs(&mut conn)?, [count - 2, count - 1, count], "{minutes:?}");
    }
    Ok(())
}

#[test]
fn a_follower_misses_nothing_when_the_clock_goes_back() -> TestResult {
    let mut conn = log_with_clock(BACK)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut after_seq = 0;
    let mut seen = Vec::new();
    loop {
        let new = log.query_after(&everything(), after_seq, 2)?;
        let Some(last) = new.last() else { break };
        after_seq = last.seq;
        seen.extend(seqs(&new));
    }
    assert_eq!(seen, (1..=BACK.len() as i64).collect::<Vec<_>>());
    Ok(())
}
