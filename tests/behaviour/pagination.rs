//! Pages walk the log newest first and return every entry exactly once, whatever happens meanwhile.

use activity_log::{ActivityLogFilters, ActivityLogPage, NewActivityLogEntry};
use diesel::prelude::*;

use crate::database::{ActivityLogRepository, Connection, empty_log};
use crate::support::{TestResult, at, everything, numbered, record_numbered, seqs};

/// The `seq`s of each page, from the newest entry to the oldest.
fn walk(conn: &mut Connection, filters: &ActivityLogFilters, limit: u32) -> TestResult<Vec<Vec<i64>>> {
    let mut log = ActivityLogRepository::new(conn);
    let mut pages = Vec::new();
    let mut before_seq = None;
    loop {
        let page = log.page(filters, before_seq, limit)?;
        pages.push(seqs(&page.entries));
        before_seq = page.next_before_seq;
        if before_seq.is_none() {
            return Ok(pages);
        }
    }
}

fn newest_first(from: i64, to: i64) -> Vec<i64> {
    (to..=from).rev().collect()
}

#[test]
fn every_entry_appears_exactly_once_whatever_the_page_size() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 23)?;
    for limit in [1, 2, 3, 5, 7, 22, 23, 24, 100, u32::MAX] {
        let pages = walk(&mut conn, &everything(), limit)?;
        assert_eq!(pages.concat(), newest_first(23, 1), "limit {limit}");
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit as usize), "limit {limit}: {pages:?}");
    }
    Ok(())
}

#[test]
fn entries_with_equal_times_appear_exactly_once() -> TestResult {
    let mut conn = empty_log()?;
    let ts = at("2026-01-01T00:00:00Z")?;
    let entries = (0..20).map(|_| NewActivityLogEntry::new("auth", "a", "b", "c").ts(ts)).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    let window = ActivityLogFilters { since: Some(ts), until: Some(ts), ..everything() };
    for limit in 1..=21 {
        assert_eq!(walk(&mut conn, &everything(), limit)?.concat(), newest_first(20, 1), "limit {limit}");
        assert_eq!(walk(&mut conn, &window, limit)?.concat(), newest_first(20, 1), "limit {limit}");
    }
    Ok(())
}

#[test]
fn a_filtered_walk_returns_every_match_exactly_once() -> TestResult {
    let mut conn = empty_log()?;
    let entries = (0..30)
        .map(|n| NewActivityLogEntry::new(["auth", "device", "system"][n % 3], "a", "b", "c"))
        .collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    let filters = ActivityLogFilters { categories: vec!["auth".into(), "system".into()], ..everything() };
    let expected = (1..=30_i64).rev().filter(|seq| seq % 3 != 2).collect::<Vec<_>>();
    for limit in 1..=21 {
        assert_eq!(walk(&mut conn, &filters, limit)?.concat(), expected, "limit {limit}");
    }
    Ok(())
}

#[test]
fn a_full_last_page_ends_the_walk() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 6)?;
    assert_eq!(walk(&mut conn, &everything(), 3)?, [vec![6, 5, 4], vec![3, 2, 1]]);
    Ok(())
}

#[test]
fn the_cursor_is_the_last_entrys_seq() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    let page = ActivityLogRepository::new(&mut conn).page(&everything(), Some(5), 2)?;
    assert_eq!((seqs(&page.entries), page.next_before_seq), (vec![4, 3], Some(3)));
    Ok(())
}

#[test]
fn an_empty_log_is_one_empty_page() -> TestResult {
    let page = ActivityLogRepository::new(&mut empty_log()?).page(&everything(), None, 50)?;
    assert_eq!(page, ActivityLogPage { entries: vec![], next_before_seq: None, prev_after_seq: None });
    Ok(())
}

#[test]
fn a_limit_of_zero_returns_nothing() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.page(&everything(), None, 0)?, ActivityLogPage::default());
    assert_eq!(log.query(&everything(), None, 0)?, []);
    assert_eq!(log.query_after(&everything(), 0, 0)?, []);
    Ok(())
}

#[test]
fn query_returns_the_newest_entries_before_the_cursor_newest_first() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(seqs(&log.query(&everything(), None, 3)?), [9, 8, 7]);
    assert_eq!(seqs(&log.query(&everything(), Some(7), 3)?), [6, 5, 4]);
    assert_eq!(seqs(&log.query(&everything(), Some(2), 3)?), [1]);
    Ok(())
}

#[test]
fn query_after_returns_the_oldest_entries_after_the_cursor_oldest_first() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(seqs(&log.query_after(&everything(), 0, 3)?), [1, 2, 3]);
    assert_eq!(seqs(&log.query_after(&everything(), 3, 3)?), [4, 5, 6]);
    assert_eq!(seqs(&log.query_after(&everything(), 8, 3)?), [9]);
    assert_eq!(log.query_after(&everything(), 9, 3)?, []);
    Ok(())
}

#[test]
fn any_number_is_a_cursor() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for cursor in [i64::MIN, -1, 0, 1] {
        assert_eq!(log.page(&everything(), Some(cursor), 9)?.entries, [], "before {cursor}");
    }
    for cursor in [4, i64::MAX] {
        assert_eq!(seqs(&log.query(&everything(), Some(cursor), 9)?), [3, 2, 1], "before {cursor}");
        assert_eq!(log.query_after(&everything(), cursor, 9)?, [], "after {cursor}");
    }
    for cursor in [i64::MIN, -1, 0] {
        assert_eq!(seqs(&log.query_after(&everything(), cursor, 9)?), [1, 2, 3], "after {cursor}");
    }
    Ok(())
}

#[test]
fn a_cursor_stays_valid_when_its_row_is_deleted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 6)?;
    diesel::sql_query("DELETE FROM activity_log WHERE seq = 4").execute(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(seqs(&log.query(&everything(), Some(4), 2)?), [3, 2]);
    assert_eq!(seqs(&log.query_after(&everything(), 4, 2)?), [5, 6]);
    Ok(())
}

#[test]
fn a_cursor_from_before_a_clear_finds_nothing_older_and_everything_newer() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.clear()?;
    assert_eq!(log.record(&numbered(9))?, 4);
    let page = log.page(&everything(), Some(2), 9)?;
    assert_eq!((seqs(&page.entries), page.next_before_seq), (vec![], None));
    assert_eq!(seqs(&log.query_after(&everything(), 2, 9)?), [4]);
    Ok(())
}

#[test]
fn entries_recorded_during_a_walk_do_not_disturb_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 10)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut seen = Vec::new();
    let mut before_seq = None;
    for number in 11.. {
        let page = log.page(&everything(), before_seq, 3)?;
        seen.extend(seqs(&page.entries));
        log.record(&numbered(number))?;
        before_seq = page.next_before_seq;
        if before_seq.is_none() {
            break;
        }
    }
    assert_eq!(seen, newest_first(10, 1));
    Ok(())
}

#[test]
fn a_walk_misses_only_the_entries_pruned_during_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 10)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let first = log.page(&everything(), None, 3)?;
    assert_eq!(seqs(&first.entries), [10, 9, 8]);
    log.prune(None, Some(6))?;
    let second = log.page(&everything(), first.next_before_seq, 3)?;
    assert_eq!((seqs(&second.entries), second.next_before_seq), (vec![7, 6, 5], None));
    Ok(())
}

/// A log of entries whose messages have a given number of kilobytes each.
fn log_of_kilobytes(sizes: &[usize]) -> TestResult<Connection> {
    let mut conn = empty_log()?;
    let entries = sizes.iter().map(|size| NewActivityLogEntry::new("auth", "a", "b", "x".repeat(size * 1_000)));
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    Ok(conn)
}

#[test]
fn a_page_of_long_entries_ends_at_a_number_of_bytes_and_its_cursor_continues() -> TestResult {
    let mut conn = log_of_kilobytes(&[10; 12])?;
    for (bytes, sizes) in
        [(0, vec![1; 12]), (10_000, vec![1; 12]), (20_000, vec![2; 6]), (50_000, vec![5, 5, 2]), (usize::MAX, vec![12])]
    {
        for filters in [everything(), ActivityLogFilters { message_contains: Some("x".to_owned()), ..everything() }] {
            let mut log = ActivityLogRepository::new(&mut conn).with_page_bytes(bytes);
            let (mut pages, mut before_seq) = (Vec::new(), None);
            loop {
                let page = log.page(&filters, before_seq, 100)?;
                pages.push(seqs(&page.entries));
                before_seq = page.next_before_seq;
                if before_seq.is_none() {
                    break;
                }
            }
            assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{bytes}");
            assert_eq!(pages.concat(), newest_first(12, 1), "{bytes}");
        }
    }
    Ok(())
}

#[test]
fn a_page_has_its_limit_of_entries_if_they_fit() -> TestResult {
    let mut conn = log_of_kilobytes(&[10; 12])?;
    let page = ActivityLogRepository::new(&mut conn).with_page_bytes(90_000).page(&everything(), None, 4)?;
    assert_eq!((seqs(&page.entries), page.next_before_seq), (newest_first(12, 9), Some(9)));
    Ok(())
}

#[test]
fn a_page_holds_eight_megabytes_by_default() -> TestResult {
    let mut conn = log_of_kilobytes(&[60; 200])?;
    let page = ActivityLogRepository::new(&mut conn).page(&everything(), None, 200)?;
    let bytes = page.entries.iter().map(|entry| entry.message.len()).sum::<usize>();
    assert!((8 << 20..(8 << 20) + 60_000).contains(&bytes), "{bytes}");
    assert!(page.next_before_seq.is_some());
    Ok(())
}

#[test]
fn a_walk_upward_returns_every_match_once_in_pages_that_are_newest_first() -> TestResult {
    let mut conn = log_of_kilobytes(&[10; 12])?;
    for (limit, bytes, sizes) in [(5, usize::MAX, vec![5, 5, 2]), (5, 20_000, vec![2; 6]), (12, usize::MAX, vec![12])] {
        let mut log = ActivityLogRepository::new(&mut conn).with_page_bytes(bytes);
        let (mut pages, mut after_seq) = (Vec::new(), 0);
        loop {
            let page = log.page_after(&everything(), after_seq, limit)?;
            let Some(newest) = page.entries.first() else { break };
            assert_eq!(page.next_before_seq, (after_seq > 0).then_some(after_seq + 1));
            after_seq = newest.seq;
            pages.insert(0, seqs(&page.entries));
        }
        assert_eq!(pages.iter().rev().map(Vec::len).collect::<Vec<_>>(), sizes);
        assert_eq!(pages.concat(), newest_first(12, 1));
    }
    assert_eq!(ActivityLogRepository::new(&mut conn).page_after(&everything(), 0, 0)?, ActivityLogPage::default());
    Ok(())
}
