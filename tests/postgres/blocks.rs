//! Time windows in a log of many blocks of 16,384 numbers, most of which have nothing in the window.

use activity_log::{ActivityLogFilters, Facet};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;

use crate::database::{ActivityLogRepository, Connection, empty_log};
use crate::support::TestResult;

const BLOCKS: i64 = 300;

/// A log with an entry in each block, a minute later than the one before.
fn sparse_log() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    conn.batch_execute(&format!(
        "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message, metadata) \
        SELECT block * 16384 + 1, 'id ' || block, to_timestamp(block * 60), 'system', 'tick', 'info', 'clock', 'Tick', '{{}}' \
        FROM generate_series(0, {BLOCKS} - 1) AS block"
    ))?;
    Ok(conn)
}

/// The window from one block's entry to another's, both inclusive.
fn window(first: i64, last: i64) -> ActivityLogFilters {
    let minute = |block| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(block);
    ActivityLogFilters { since: Some(minute(first)), until: Some(minute(last)), ..ActivityLogFilters::default() }
}

#[test]
fn a_window_is_counted_wherever_it_is() -> TestResult {
    let mut conn = sparse_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for first in (0..BLOCKS).step_by(7) {
        let last = (first + 2).min(BLOCKS - 1);
        let expected = (last - first + 1).unsigned_abs();
        let filters = window(first, last);
        assert_eq!(log.count(&filters)?, expected, "from {first}");
        assert_eq!(log.count_up_to(&filters, 100)?, expected, "from {first}");
        let facets = log.facets(&filters, Facet::Actor, 10)?;
        assert_eq!(facets.values.iter().map(|value| value.entries).collect::<Vec<_>>(), [expected], "from {first}");
    }
    Ok(())
}

#[test]
fn a_page_of_a_window_is_found_wherever_it_is() -> TestResult {
    let mut conn = sparse_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for first in (0..BLOCKS).step_by(7) {
        let last = (first + 2).min(BLOCKS - 1);
        let found = log.query(&window(first, last), None, 10)?;
        let seqs = found.iter().map(|entry| (entry.seq - 1) / 16_384).collect::<Vec<_>>();
        assert_eq!(seqs, (first..=last).rev().collect::<Vec<_>>(), "from {first}");
    }
    Ok(())
}

#[test]
fn windows_apart_from_each_other_are_one_walk() -> TestResult {
    let mut conn = sparse_log()?;
    // An entry of long ago among the newest.
    conn.batch_execute(&format!(
        "UPDATE activity_log SET ts = to_timestamp(60) WHERE seq = ({BLOCKS} - 5) * 16384 + 1"
    ))?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let found = log.query(&window(0, 2), None, 10)?;
    let blocks = found.iter().map(|entry| (entry.seq - 1) / 16_384).collect::<Vec<_>>();
    assert_eq!(blocks, [BLOCKS - 5, 2, 1, 0]);
    assert_eq!(log.count(&window(0, 2))?, 4);
    Ok(())
}
