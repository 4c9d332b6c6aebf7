//! Pages lead to the older and to the newer entries around them, and to no empty page.

use activity_log::{ActivityLogFilters, ActivityLogPage, NewActivityLogEntry};

use crate::database::{ActivityLogRepository, Connection, empty_log};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

/// The cursors of a page: to the newer and to the older entries.
fn cursors(page: &ActivityLogPage) -> (Option<i64>, Option<i64>) {
    (page.prev_after_seq, page.next_before_seq)
}

/// A log in which every third entry is by `alice`, with messages of ten kilobytes.
fn log_with_gaps() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    let message = "x".repeat(10_000);
    let entries = (1..=30).map(|number| {
        NewActivityLogEntry::new("auth", "a", if number % 3 == 0 { "alice" } else { "bob" }, message.as_str())
    });
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    Ok(conn)
}

fn by_alice() -> ActivityLogFilters {
    ActivityLogFilters { actor: Some("alice".to_owned()), ..everything() }
}

#[test]
fn a_walk_to_the_oldest_page_and_back_returns_every_match_in_both_directions() -> TestResult {
    let mut conn = log_with_gaps()?;
    let in_messages = ActivityLogFilters { message_contains: Some("x".to_owned()), ..everything() };
    for filters in [everything(), by_alice(), in_messages] {
        for (limit, bytes) in [(1, usize::MAX), (3, usize::MAX), (10, usize::MAX), (7, 25_000), (100, 1), (100, 45_000)]
        {
            let mut log = ActivityLogRepository::new(&mut conn).with_page_bytes(bytes);
            let expected = log.query(&filters, None, 100)?;

            let mut page = log.page(&filters, None, limit)?;
            assert_eq!(page.prev_after_seq, None);
            let mut down = page.entries.clone();
            while let Some(before_seq) = page.next_before_seq {
                let newer = page.entries.first().map(|entry| entry.seq);
                page = log.page(&filters, Some(before_seq), limit)?;
                assert!(!page.entries.is_empty(), "an empty page before {before_seq}");
                assert!(page.prev_after_seq < newer && page.prev_after_seq.is_some(), "{:?}", cursors(&page));
                down.extend(page.entries.clone());
            }
            assert_eq!(down, expected, "down, {limit} and {bytes}");

            let mut up = page.entries.clone();
            while let Some(after_seq) = page.prev_after_seq {
                page = log.page_after(&filters, after_seq, limit)?;
                assert!(!page.entries.is_empty(), "an empty page after {after_seq}");
                assert_eq!(page.next_before_seq, page.entries.last().map(|oldest| oldest.seq));
                up.splice(0..0, page.entries.clone());
            }
            assert_eq!(up, expected, "up, {limit} and {bytes}");
        }
    }
    Ok(())
}

#[test]
fn the_page_between_two_others_is_the_same_from_both() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let middle = log.page(&everything(), Some(7), 3)?;
    assert_eq!((seqs(&middle.entries), cursors(&middle)), (vec![6, 5, 4], (Some(6), Some(4))));
    let oldest = log.page(&everything(), middle.next_before_seq, 3)?;
    assert_eq!((seqs(&oldest.entries), cursors(&oldest)), (vec![3, 2, 1], (Some(3), None)));
    assert_eq!(log.page_after(&everything(), 3, 3)?, middle);
    let newest = log.page_after(&everything(), 6, 3)?;
    assert_eq!((seqs(&newest.entries), cursors(&newest)), (vec![9, 8, 7], (None, Some(7))));
    assert_eq!(log.page(&everything(), None, 3)?, newest);
    Ok(())
}

#[test]
fn a_cursor_is_none_exactly_when_nothing_matches_on_its_side() -> TestResult {
    let mut conn = log_with_gaps()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    // Alice's entries are 3, 6, … 30, and Bob's stand around them.
    for (page, expected, around) in [
        (log.page(&by_alice(), Some(31), 2)?, [30, 27], (None, Some(27))),
        (log.page(&by_alice(), Some(30), 2)?, [27, 24], (Some(27), Some(24))),
        (log.page(&by_alice(), Some(7), 2)?, [6, 3], (Some(6), None)),
        (log.page_after(&by_alice(), 2, 2)?, [6, 3], (Some(6), None)),
        (log.page_after(&by_alice(), 3, 2)?, [9, 6], (Some(9), Some(6))),
        (log.page_after(&by_alice(), 24, 2)?, [30, 27], (None, Some(27))),
    ] {
        assert_eq!((seqs(&page.entries), cursors(&page)), (expected.to_vec(), around));
    }
    Ok(())
}

#[test]
fn an_empty_page_leads_back() -> TestResult {
    let mut conn = log_with_gaps()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let older = log.page(&by_alice(), Some(3), 5)?;
    assert_eq!(older, ActivityLogPage { prev_after_seq: Some(2), ..ActivityLogPage::default() });
    assert_eq!(seqs(&log.page_after(&by_alice(), 2, 2)?.entries), [6, 3]);

    let newer = log.page_after(&by_alice(), 30, 5)?;
    assert_eq!(newer, ActivityLogPage { next_before_seq: Some(31), ..ActivityLogPage::default() });
    assert_eq!(seqs(&log.page(&by_alice(), Some(31), 2)?.entries), [30, 27]);
    Ok(())
}

#[test]
fn a_log_without_a_match_has_no_cursors() -> TestResult {
    let mut conn = log_with_gaps()?;
    let nobody = ActivityLogFilters { actor: Some("nobody".to_owned()), ..everything() };
    let mut log = ActivityLogRepository::new(&mut conn);
    for cursor in [i64::MIN, 0, 15, i64::MAX] {
        assert_eq!(log.page(&nobody, Some(cursor), 5)?, ActivityLogPage::default(), "before {cursor}");
        assert_eq!(log.page_after(&nobody, cursor, 5)?, ActivityLogPage::default(), "after {cursor}");
    }
    Ok(())
}

#[test]
fn the_least_and_the_greatest_cursor_lead_back() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let before_all = log.page(&everything(), Some(i64::MIN), 9)?;
    assert_eq!((seqs(&before_all.entries), cursors(&before_all)), (vec![], (Some(i64::MIN), None)));
    let after_all = log.page_after(&everything(), i64::MAX, 9)?;
    assert_eq!((seqs(&after_all.entries), cursors(&after_all)), (vec![], (None, Some(i64::MAX))));
    let all = log.page_after(&everything(), i64::MIN, 9)?;
    assert_eq!((seqs(&all.entries), cursors(&all)), (vec![3, 2, 1], (None, None)));
    assert_eq!(log.page(&everything(), Some(i64::MAX), 9)?, all);
    Ok(())
}

#[test]
fn a_limit_of_zero_has_no_cursors() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.page(&everything(), Some(5), 0)?, ActivityLogPage::default());
    assert_eq!(log.page_after(&everything(), 5, 0)?, ActivityLogPage::default());
    Ok(())
}

#[test]
fn entries_recorded_during_a_walk_are_newer() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 4)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let newest = log.page(&everything(), None, 2)?;
    let older = log.page(&everything(), newest.next_before_seq, 2)?;
    log.record(&numbered(5))?;
    log.record(&numbered(6))?;
    log.record(&numbered(7))?;

    let back = log.page_after(&everything(), older.prev_after_seq.ok_or("no cursor")?, 2)?;
    assert_eq!((seqs(&back.entries), cursors(&back)), (vec![4, 3], (Some(4), Some(3))));
    let recorded = log.page_after(&everything(), 4, 2)?;
    assert_eq!((seqs(&recorded.entries), cursors(&recorded)), (vec![6, 5], (Some(6), Some(5))));
    let last = log.page_after(&everything(), 6, 2)?;
    assert_eq!((seqs(&last.entries), cursors(&last)), (vec![7], (None, Some(7))));
    Ok(())
}

#[test]
fn a_page_that_ends_at_its_bytes_has_a_cursor_only_if_more_entries_match() -> TestResult {
    let mut conn = log_with_gaps()?;
    let mut log = ActivityLogRepository::new(&mut conn).with_page_bytes(20_000);
    for (page, expected, around) in [
        (log.page_after(&everything(), 26, 9)?, [28, 27], (Some(28), Some(27))),
        (log.page_after(&everything(), 28, 9)?, [30, 29], (None, Some(29))),
        (log.page(&everything(), Some(3), 9)?, [2, 1], (Some(2), None)),
    ] {
        assert_eq!((seqs(&page.entries), cursors(&page)), (expected.to_vec(), around));
    }
    Ok(())
}
