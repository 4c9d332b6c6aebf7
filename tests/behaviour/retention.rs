//! A retention policy deletes what it says and nothing else.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use activity_log::{
    ActivityLogEntry, ActivitySeverity, Error, NewActivityLogEntry, RetentionArchive, RetentionHooks, RetentionPolicy,
    RetentionReport, RetentionRule,
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;

use crate::behaviour::prune::{range, time_of};
use crate::database::{
    ActivityLogRepository, BREAKING_ASSIGNMENTS, Connection, SharedLog, empty_log, hold_up_writers, stored_seqs,
    wait_at_most, with_write_transaction,
};
use crate::support::{TestResult, everything, numbered, record_numbered};

/// The flag of a run that nobody stops.
pub(crate) static RUNNING: AtomicBool = AtomicBool::new(false);

/// Applies a policy to the end.
pub(crate) fn apply(
    conn: &mut Connection,
    policy: &RetentionPolicy,
    now: DateTime<Utc>,
) -> TestResult<RetentionReport> {
    Ok(ActivityLogRepository::new(conn).apply_retention(policy, now, &RUNNING)?)
}

/// Applies a policy to a log of `count` numbered entries, and returns the remaining `seq`s.
fn left_of(count: i64, policy: &RetentionPolicy, now: DateTime<Utc>) -> TestResult<Vec<i64>> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, count)?;
    let report = apply(&mut conn, policy, now)?;
    let left = stored_seqs(&mut conn)?;
    assert_eq!(report.deleted, count as u64 - left.len() as u64);
    assert_eq!((report.held_back, report.stopped), (0, false));
    Ok(left)
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// What each rule deleted, by its name.
fn deleted_by_rule(report: &RetentionReport) -> Vec<(String, u64)> {
    report.rules.iter().map(|rule| (rule.rule.to_string(), rule.deleted)).collect()
}

#[test]
fn an_empty_policy_deletes_nothing() -> TestResult {
    for policy in [RetentionPolicy::new(), RetentionPolicy::new().keep_at_least(2)] {
        assert_eq!(left_of(5, &policy, DateTime::<Utc>::MAX_UTC)?, range(1, 5));
    }
    Ok(())
}

#[test]
fn an_entry_exactly_as_old_as_its_rule_allows_stays() -> TestResult {
    let policy = RetentionPolicy::new().max_age(minutes(6));
    assert_eq!(left_of(10, &policy, time_of(10))?, range(4, 10));
    assert_eq!(left_of(10, &policy, time_of(10) + TimeDelta::nanoseconds(1))?, range(5, 10));
    assert_eq!(left_of(10, &policy, time_of(10) - TimeDelta::nanoseconds(1))?, range(4, 10));
    assert_eq!(left_of(10, &policy, time_of(17))?, [0_i64; 0]);
    Ok(())
}

#[test]
fn an_entry_stays_as_long_as_the_longest_rule_that_names_it_says() -> TestResult {
    let mut conn = empty_log()?;
    let kinds = [
        ("auth", ActivitySeverity::Info),
        ("auth", ActivitySeverity::Error),
        ("device", ActivitySeverity::Info),
        ("device", ActivitySeverity::Error),
        ("billing", ActivitySeverity::Info),
        ("billing", ActivitySeverity::Warning),
        ("billing", ActivitySeverity::Error),
    ];
    // Each kind at the ages of 5, 15, 25 and 35 minutes.
    let entries = [35, 25, 15, 5].into_iter().flat_map(|age| {
        kinds.map(|(category, severity)| NewActivityLogEntry {
            ts: time_of(100) - minutes(age),
            severity,
            ..NewActivityLogEntry::new(category, "act", "alice", format!("{category} {severity} {age}"))
        })
    });
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    let policy = RetentionPolicy::new()
        .category("auth", minutes(30))
        .category("device", minutes(10))
        .severity(ActivitySeverity::Info, minutes(20))
        .severity(ActivitySeverity::Error, minutes(40))
        .max_age(minutes(10));
    let report = apply(&mut conn, &policy, time_of(100))?;

    let left = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, 100)?;
    let left = left.into_iter().map(|entry| entry.message).collect::<Vec<_>>();
    let expected = [
        "auth error 35",
        "device error 35",
        "billing error 35",
        "auth info 25",
        "auth error 25",
        "device error 25",
        "billing error 25",
        "auth info 15",
        "auth error 15",
        "device info 15",
        "device error 15",
        "billing info 15",
        "billing error 15",
        "auth info 5",
        "auth error 5",
        "device info 5",
        "device error 5",
        "billing info 5",
        "billing warning 5",
        "billing error 5",
    ];
    assert_eq!(left, expected);
    let by_rule =
        [("category auth", 1), ("category device", 0), ("severity info", 4), ("severity error", 0), ("max_age", 3)];
    assert_eq!(deleted_by_rule(&report), by_rule.map(|(rule, deleted)| (rule.to_owned(), deleted)));
    assert_eq!(report.rules[0].rule, RetentionRule::Category("auth".into()));
    Ok(())
}

#[test]
fn an_entry_that_no_rule_names_stays_forever_without_a_greatest_age() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record_all(&[numbered(1), NewActivityLogEntry { category: "auth".into(), ..numbered(2) }])?;
    let report = apply(&mut conn, &RetentionPolicy::new().category("auth", minutes(0)), Utc::now())?;
    assert_eq!(report.deleted, 1);
    assert_eq!(stored_seqs(&mut conn)?, [1]);
    Ok(())
}

#[test]
fn most_entries_applies_to_what_the_ages_left() -> TestResult {
    let policy = RetentionPolicy::new().max_age(minutes(4)).max_entries(5);
    // In the order of recording, 5, 9 and 8 are young enough, and so are three of minute 7.
    let mut conn = empty_log()?;
    let log = [7, 5, 1, 9, 2, 8, 3].map(numbered);
    ActivityLogRepository::new(&mut conn).record_all(&log)?;
    assert_eq!(apply(&mut conn, &policy.clone().max_entries(2), time_of(9))?.deleted, 5);
    assert_eq!(stored_seqs(&mut conn)?, [4, 6]);

    assert_eq!(left_of(10, &policy, time_of(10))?, range(6, 10));
    for enough in [7, 8, u64::MAX] {
        assert_eq!(left_of(10, &policy.clone().max_entries(enough), time_of(8))?, range(4, 10));
    }
    assert_eq!(left_of(10, &RetentionPolicy::new().max_entries(0), time_of(0))?, [0_i64; 0]);
    Ok(())
}

#[test]
fn most_bytes_keeps_the_newest_entries_whose_texts_fit() -> TestResult {
    let mut conn = empty_log()?;
    let entries = (1..=20).map(|number| NewActivityLogEntry { message: "é".repeat(5_000), ..numbered(number) });
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    for (bytes, left) in [(u64::MAX, 20), (15 * 10_000 + 9_000, 15), (15 * 10_000, 14), (10_000, 0)] {
        let report = apply(&mut conn, &RetentionPolicy::new().max_bytes(bytes), time_of(0))?;
        assert_eq!(stored_seqs(&mut conn)?, range(21 - left, 20), "{bytes}");
        assert_eq!(deleted_by_rule(&report), [("max_bytes".to_owned(), report.deleted)]);
    }
    Ok(())
}

#[test]
fn the_newest_entries_stay_even_if_the_clock_is_far_ahead_or_goes_back() -> TestResult {
    let policy = RetentionPolicy::new().max_age(minutes(30)).max_entries(2).max_bytes(0).keep_at_least(5);
    assert_eq!(left_of(20, &policy, time_of(1_000_000))?, range(16, 20));
    assert_eq!(left_of(20, &policy, DateTime::<Utc>::MAX_UTC)?, range(16, 20));
    assert_eq!(left_of(5, &policy, DateTime::<Utc>::MAX_UTC)?, range(1, 5));
    // Before the first entry, nothing is old.
    let by_age = RetentionPolicy::new().max_age(minutes(30)).keep_at_least(5);
    for now in [DateTime::<Utc>::MIN_UTC, time_of(-5), time_of(0)] {
        assert_eq!(left_of(20, &by_age, now)?, range(1, 20));
    }
    // The newest are those recorded last, whatever their times.
    let mut conn = empty_log()?;
    ActivityLogRepository::new(&mut conn).record_all(&[50, 60, 1, 2, 3].map(numbered))?;
    apply(&mut conn, &RetentionPolicy::new().max_age(minutes(30)).keep_at_least(2), time_of(80))?;
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 4, 5]);
    Ok(())
}

#[test]
fn an_age_that_overflows_deletes_nothing() -> TestResult {
    for age in [TimeDelta::MAX, TimeDelta::days(4_000_000)] {
        let policy = RetentionPolicy::new().max_age(age).category("system", age).severity(ActivitySeverity::Info, age);
        assert_eq!(left_of(5, &policy, Utc::now())?, range(1, 5));
        assert_eq!(left_of(5, &policy, DateTime::<Utc>::MIN_UTC)?, range(1, 5));
    }
    Ok(())
}

#[test]
fn a_negative_age_is_refused_by_name_and_nothing_is_deleted() -> TestResult {
    let negative = TimeDelta::nanoseconds(-1);
    for (policy, name) in [
        (RetentionPolicy::new().max_age(negative), "max_age"),
        (RetentionPolicy::new().max_age(minutes(1)).category("auth", negative), "category"),
        (RetentionPolicy::new().max_age(minutes(1)).severity(ActivitySeverity::Info, TimeDelta::MIN), "severity"),
    ] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 5)?;
        let refused = ActivityLogRepository::new(&mut conn).apply_retention(&policy, Utc::now(), &RUNNING);
        assert!(matches!(refused, Err(Error::InvalidPolicy { rule, .. }) if rule == name), "{refused:?}");
        assert_eq!(stored_seqs(&mut conn)?, range(1, 5));
    }
    Ok(())
}

#[test]
fn a_run_over_a_large_log_stops_between_two_batches_and_the_next_one_goes_on() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 20_000)?;
    let stop = AtomicBool::new(false);
    let mut reports = Vec::new();
    let mut progress = |report: &RetentionReport| {
        reports.push(report.deleted);
        stop.store(reports.len() == 2, Ordering::Relaxed);
    };
    let policy = RetentionPolicy::new().max_age(minutes(0)).keep_at_least(10);
    let mut log = ActivityLogRepository::new(&mut conn);
    let report = log.apply_retention_with(&policy, Utc::now(), &stop, RetentionHooks::new().progress(&mut progress))?;
    assert!(report.stopped);
    assert_eq!(reports.len(), 2);
    assert_eq!(reports.last(), Some(&report.deleted));
    assert!(report.deleted < 19_990, "{report:?}");
    assert_eq!(stored_seqs(&mut conn)?, range(report.deleted as i64 + 1, 20_000));

    let rest = apply(&mut conn, &policy, Utc::now())?;
    assert_eq!((rest.deleted, rest.stopped), (19_990 - report.deleted, false));
    assert_eq!(stored_seqs(&mut conn)?, range(19_991, 20_000));
    Ok(())
}

#[test]
fn a_run_that_is_told_to_stop_before_it_begins_deletes_nothing() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 10)?;
    let policy = RetentionPolicy::new().max_entries(0);
    let report = ActivityLogRepository::new(&mut conn).apply_retention(&policy, Utc::now(), &AtomicBool::new(true))?;
    assert_eq!((report.deleted, report.stopped), (0, true));
    assert_eq!(stored_seqs(&mut conn)?, range(1, 10));
    Ok(())
}

/// Tells the run to stop just before it deletes its first batch.
struct Stops<'a>(&'a AtomicBool);

impl RetentionArchive for Stops<'_> {
    fn append(&mut self, _: &[ActivityLogEntry]) -> io::Result<()> {
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_run_that_waits_for_a_writer_stops_when_it_is_told_to() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 10)?;
    // Long enough for a test that waits to be noticed.
    wait_at_most(&mut conn, Duration::from_secs(600))?;
    hold_up_writers(&mut writer)?;
    let stop = AtomicBool::new(false);
    let mut archive = Stops(&stop);
    let hooks = RetentionHooks::new().archive(&mut archive);
    let policy = RetentionPolicy::new().max_entries(0);
    let report = ActivityLogRepository::new(&mut conn).apply_retention_with(&policy, Utc::now(), &stop, hooks)?;
    assert_eq!((report.deleted, report.stopped), (0, true));
    Ok(())
}

#[test]
fn an_entry_recorded_while_a_run_is_under_way_stays() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 1_200)?;
    let mut late = Some(numbered(1).id("late"));
    let mut progress = |_: &RetentionReport| {
        if let Some(late) = late.take() {
            ActivityLogRepository::new(&mut writer).record(&late).expect("the run holds no lock between batches");
        }
    };
    let hooks = RetentionHooks::new().progress(&mut progress);
    let policy = RetentionPolicy::new().max_age(minutes(0)).max_entries(0).max_bytes(0);
    let report = ActivityLogRepository::new(&mut conn).apply_retention_with(&policy, Utc::now(), &RUNNING, hooks)?;
    assert_eq!(report.deleted, 1_200);
    assert_eq!(stored_seqs(&mut conn)?, [1_201]);
    Ok(())
}

#[test]
fn a_row_that_cannot_be_read_is_due_like_any_other() -> TestResult {
    let policy = RetentionPolicy::new()
        .category("auth", minutes(0))
        .severity(ActivitySeverity::Info, minutes(0))
        .severity(ActivitySeverity::Error, TimeDelta::MAX)
        .max_age(minutes(0));
    for (_, broken) in BREAKING_ASSIGNMENTS.into_iter().filter(|(column, _)| *column != "ts") {
        for category in ["system", "auth"] {
            let mut conn = empty_log()?;
            record_numbered(&mut conn, 3)?;
            conn.batch_execute(&format!("UPDATE activity_log SET {broken}, category = '{category}' WHERE seq = 2"))?;
            assert_eq!(apply(&mut conn, &policy, Utc::now())?.deleted, 3, "{broken}, {category}");
        }
    }
    Ok(())
}

#[test]
fn a_run_in_a_transaction_is_part_of_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2_000)?;
    let policy = RetentionPolicy::new().max_age(minutes(0)).keep_at_least(10);
    let rolled_back = with_write_transaction(&mut conn, |conn| {
        let report = ActivityLogRepository::new(conn).apply_retention(&policy, Utc::now(), &RUNNING)?;
        assert_eq!(report.deleted, 1_990);
        Err::<(), _>(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 2_000);

    with_write_transaction(&mut conn, |conn| {
        ActivityLogRepository::new(conn).apply_retention(&policy, Utc::now(), &RUNNING).map(drop)
    })?;
    assert_eq!(stored_seqs(&mut conn)?, range(1_991, 2_000));
    Ok(())
}

#[test]
fn a_report_is_json_with_each_rule_by_name() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let policy = RetentionPolicy::new().category("system", minutes(0)).max_entries(9);
    let report = serde_json::to_value(apply(&mut conn, &policy, time_of(3))?)?;
    let expected = serde_json::json!({
        "deleted": 2, "held_back": 0, "stopped": false,
        "rules": [
            { "rule": { "category": "system" }, "deleted": 2, "held_back": 0 },
            { "rule": "max_entries", "deleted": 0, "held_back": 0 },
        ],
    });
    assert_eq!(report, expected);
    Ok(())
}
