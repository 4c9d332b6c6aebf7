//! The search index changes no answer: a text is found in the same entries with and without it.

use activity_log::postgres::{ActivityLogRepository, disable_search, enable_search};
use activity_log::{ActivityLogFilters, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta};
use diesel::connection::SimpleConnection;
use proptest::prelude::*;

use crate::database::{Connection, SharedLog, empty_log};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

pub(crate) fn containing(term: &str) -> ActivityLogFilters {
    ActivityLogFilters { message_contains: Some(term.to_owned()), ..everything() }
}

pub(crate) fn searchable_log() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    enable_search(&mut conn)?;
    Ok(conn)
}

/// Rows below and above those that are recorded. They are looked through first, and then the index is asked.
pub(crate) fn surround(conn: &mut Connection) -> TestResult {
    Ok(conn.batch_execute(
        "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
         SELECT n * 1000000, 'far ' || n, '2025-06-01', 'system', 'a', 'info', 'far', '' \
         FROM generate_series(-1200, 1200) AS n WHERE n <> 0",
    )?)
}

/// The matching `seq`s. Every way of reading must find the same ones, page by page.
pub(crate) fn found(conn: &mut Connection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let mut log = ActivityLogRepository::new(conn);
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = log.page(filters, before, 3)?;
        found.extend(seqs(&page.entries));
        before = page.next_before_seq;
        if before.is_none() {
            break;
        }
    }
    found.reverse();
    assert_eq!(seqs(&log.query_after(filters, i64::MIN, u32::MAX)?), found);
    assert_eq!(seqs(&log.iter_export(filters)?.collect::<Result<Vec<_>, _>>()?), found);
    assert_eq!(log.count(filters)?, found.len() as u64);
    assert_eq!(log.count_up_to(filters, 2)?, found.len().min(2) as u64);
    Ok(found)
}

pub(crate) fn record(conn: &mut Connection, message: &str) -> TestResult<i64> {
    let entry = NewActivityLogEntry::new("system", "test", "tester", message);
    Ok(ActivityLogRepository::new(conn).record(&entry)?)
}

#[test]
fn entries_recorded_before_and_after_the_index_was_enabled_are_found() -> TestResult {
    let mut conn = empty_log()?;
    surround(&mut conn)?;
    record_numbered(&mut conn, 20)?;
    enable_search(&mut conn)?;
    let more = (21..=25).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&more)?;
    assert_eq!(found(&mut conn, &containing("TICK 2"))?, [2, 20, 21, 22, 23, 24, 25]);
    Ok(())
}

#[test]
fn the_index_follows_what_other_programs_change() -> TestResult {
    let mut conn = searchable_log()?;
    surround(&mut conn)?;
    record_numbered(&mut conn, 5)?;
    conn.batch_execute(
        "UPDATE activity_log SET message = 'Corrected' WHERE seq = 2; DELETE FROM activity_log WHERE seq = 1; \
         UPDATE activity_log SET seq = -5 WHERE seq = 3",
    )?;
    assert_eq!(found(&mut conn, &containing("corrected"))?, [2]);
    assert_eq!(found(&mut conn, &containing("Tick"))?, [-5, 4, 5]);
    Ok(())
}

#[test]
fn pruned_and_cleared_entries_are_not_found_and_later_ones_are() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 30)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(None, Some(10))?, 20);
    assert_eq!(found(&mut conn, &containing("Tick 2"))?, [21, 22, 23, 24, 25, 26, 27, 28, 29]);
    ActivityLogRepository::new(&mut conn).clear()?;
    assert_eq!(record(&mut conn, "Tick again")?, 31);
    assert_eq!(found(&mut conn, &containing("Tick"))?, [31]);
    Ok(())
}

#[test]
fn terms_of_any_length_are_found() -> TestResult {
    let mut conn = searchable_log()?;
    surround(&mut conn)?;
    let long = "x".repeat(5_000);
    record(&mut conn, &format!("before {long}y after"))?;
    record(&mut conn, "ab")?;
    for (term, expected) in [("b", vec![1, 2]), ("ab", vec![2]), ("abc", vec![]), (&*format!("{long}Y"), vec![1])] {
        assert_eq!(found(&mut conn, &containing(term))?, expected, "{term}");
    }
    assert_eq!(found(&mut conn, &containing(&format!("{long}xy")))?, Vec::<i64>::new());
    Ok(())
}

#[test]
fn entries_with_extreme_numbers_are_found() -> TestResult {
    let mut conn = searchable_log()?;
    surround(&mut conn)?;
    for seq in [i64::MIN, i64::MIN + 7, 5, i64::MAX - 7] {
        conn.batch_execute(&format!(
            "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
             VALUES ({seq}, 'x{seq}', '2025-06-01', 'system', 'a', 'info', 'b', 'hello')"
        ))?;
    }
    let mut log = ActivityLogRepository::new(&mut conn);
    let expected = [i64::MAX - 7, 5, i64::MIN + 7, i64::MIN];
    assert_eq!(seqs(&log.query(&containing("hello"), None, 10)?), expected);
    assert_eq!(log.count(&containing("hello"))?, 4);
    Ok(())
}

#[test]
fn any_text_is_found_in_the_same_entries_as_without_the_index() -> TestResult {
    let log = SharedLog::create()?;
    surround(&mut log.connect()?)?;
    let texts = || "[aAbBkKéÉİıſKςΣ\"'%_* 7\u{FFFD}\u{FFFF}\\\\-]{0,12}";
    let cases =
        (proptest::collection::vec(texts(), 1..40), proptest::collection::vec("[aAbBkKéÉİıſK\"'%_* 7\\\\-]{3,6}", 4));
    proptest!(ProptestConfig { cases: 24, ..ProptestConfig::default() }, |((messages, mut terms) in cases)| {
        let mut check = || -> TestResult {
            let mut conn = log.connect()?;
            conn.batch_execute("DELETE FROM activity_log WHERE actor = 'tester'")?;
            for message in &messages {
                record(&mut conn, message)?;
            }
            terms.extend(messages.iter().map(|text| text.chars().skip(1).take(5).collect::<String>()).take(3));
            terms.retain(|term| !term.is_empty());
            let answer = |conn: &mut Connection| terms.iter().map(|term| found(conn, &containing(term))).collect::<TestResult<Vec<_>>>();
            let expected = answer(&mut conn)?;
            enable_search(&mut conn)?;
            assert_eq!(answer(&mut conn)?, expected, "{terms:?}");
            Ok(disable_search(&mut conn)?)
        };
        check().map_err(|error| TestCaseError::fail(error.to_string()))?;
    });
    Ok(())
}

/// Messages of a few words and a number, by a few actors.
fn large_log() -> TestResult<Connection> {
    const WORDS: [&str; 9] = ["alpha", "beta", "Lamp", "été", "K", "foo%bar", "x_y", "gamma", "ALPHA"];
    let mut conn = empty_log()?;
    let entries = (0..20_000_i64)
        .zip(WORDS.iter().cycle())
        .zip(WORDS.iter().cycle().skip(4).step_by(5))
        .map(|((number, one), other)| NewActivityLogEntry {
            message: format!("{one} {other} {}", number * 7_919 % 500),
            actor: format!("user {}", number % 40),
            ..numbered(number)
        })
        .collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq % 7 = 3")?;
    Ok(conn)
}

#[test]
fn a_large_log_gives_the_same_answers_with_and_without_the_index() -> TestResult {
    let mut conn = large_log()?;
    let minute = |number| DateTime::UNIX_EPOCH + TimeDelta::minutes(number);
    let terms = ["alpha", "alpha K", "Lamp 77", " 49", "foo%bar", "x_y ", "été", "a 12", "zzz"];
    let mut answers = Vec::new();
    for _ in 0..2 {
        let mut answered = Vec::new();
        for (term, (before, limit)) in terms.iter().flat_map(|term| {
            [(None, 1), (None, 50), (Some(12_345), 600), (Some(3_000), u32::MAX)].map(move |walk| (term, walk))
        }) {
            for filters in [
                containing(term),
                ActivityLogFilters { actor: Some("user 7".to_owned()), ..containing(term) },
                ActivityLogFilters { since: Some(minute(2_000)), until: Some(minute(9_000)), ..containing(term) },
            ] {
                let mut log = ActivityLogRepository::new(&mut conn);
                let page = log.page(&filters, before, limit)?;
                let after = seqs(&log.query_after(&filters, before.unwrap_or(100), limit)?);
                let exported = seqs(&log.iter_export(&filters)?.collect::<Result<Vec<_>, _>>()?);
                let counts = (log.count(&filters)?, log.count_up_to(&filters, limit.into())?);
                answered.push((filters, seqs(&page.entries), page.next_before_seq, after, exported, counts));
            }
        }
        answers.push(answered);
        enable_search(&mut conn)?;
    }
    let [without, with] = <[_; 2]>::try_from(answers).map_err(|_| "two answers were asked for")?;
    for (with, without) in with.into_iter().zip(without) {
        assert_eq!(with, without);
    }
    Ok(())
}

#[test]
fn candidates_fit_with_the_longest_list_of_categories() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 3_000)?;
    let categories = (1..32_000).map(|number| format!("area {number}").into()).chain(["system".into()]).collect();
    let filters = ActivityLogFilters { categories, ..containing("Tick 1") };
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.query(&filters, None, 2_000)?.len(), 1_111);
    assert_eq!(log.count(&filters)?, 1_111);
    Ok(())
}
