//! Pages by pairs, triples and lists of filters, on a log where many of them seldom or never match together.

use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::database::{ActivityLogRepository, Connection, empty_log};
use crate::support::{TestResult, read_back};

const ENTRIES: i64 = 3_000;
const PAGE: u32 = 7;

/// Entry `number`. The busy actor does one of 600 actions each time; the others do few things, each with its own types.
fn entry(number: i64) -> NewActivityLogEntry {
    let actor = if number % 3 == 0 { "busy".to_owned() } else { format!("user_{}", number % 8) };
    let category = ["device", "é", "auth", "Zone", "device"].get(number as usize % 5).copied().unwrap_or_default();
    let kind = if number % 3 == 0 { number % 600 } else { number % 4 };
    let severity = match number % 11 {
        0 => ActivitySeverity::Error,
        1 | 2 => ActivitySeverity::Warning,
        _ => ActivitySeverity::Info,
    };
    let prefix = if number % 7 == 0 { "\u{10FFFF}" } else { category };
    let new = NewActivityLogEntry::new(category, format!("{prefix}.{kind}"), actor, format!("Entry {number}"))
        .id(format!("id {number}"))
        .ts(DateTime::UNIX_EPOCH + TimeDelta::minutes(number))
        .severity(severity)
        .metadata_value("tenth", number % 10);
    match number % 8 {
        0 | 5 => new,
        kind => new.entity(["lamp", "\u{7F}", "é"].get(kind as usize % 3).copied().unwrap_or_default(), "7"),
    }
}

fn log_of_many_kinds() -> TestResult<(Connection, Vec<ActivityLogEntry>)> {
    let mut conn = empty_log()?;
    let entries = (1..=ENTRIES).map(entry).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    let read = entries.into_iter().zip(1..).map(|(entry, seq)| read_back(entry, seq)).collect();
    Ok((conn, read))
}

fn texts(values: &[&str]) -> impl Strategy<Value = Vec<String>> + use<> {
    let values = values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    vec(select(values), 0..4)
}

fn actors() -> impl Strategy<Value = Vec<String>> {
    let actors = prop_oneof![2 => texts(&["busy", "user_1", "user_2", "user_3", "nobody"]), 1 => Just(Vec::new())];
    prop_oneof![4 => actors, 1 => Just((0..300).map(|number| format!("user_{number}")).collect())]
}

fn actions() -> impl Strategy<Value = Vec<String>> {
    let few = texts(&["device.*", "é.*", "auth.1", "Zone.3", "\u{10FFFF}.*", "device.0", "none", "auth.*"]);
    let many = (0..300).map(|number| format!("device.{number}")).collect::<Vec<_>>();
    prop_oneof![3 => Just(Vec::new()), 6 => few, 1 => Just(many)]
}

fn filters() -> impl Strategy<Value = ActivityLogFilters> {
    let severities = select(vec![ActivitySeverity::Info, ActivitySeverity::Warning, ActivitySeverity::Error]);
    let types = ["lamp", "\u{7F}", "é", "none"].map(ToOwned::to_owned).to_vec();
    let time = || option::weighted(0.2, (0..ENTRIES).prop_map(|n| DateTime::UNIX_EPOCH + TimeDelta::minutes(n)));
    (
        texts(&["device", "é", "auth", "Zone", "none"]),
        option::weighted(0.3, texts(&["device", "é", "auth", "Zone", "none"])),
        (vec(severities.clone(), 0..3), option::weighted(0.2, vec(severities, 0..3))),
        actions(),
        option::weighted(0.4, actions()),
        actors(),
        (option::of(select(types.clone())), option::weighted(0.2, vec(select(types), 0..3))),
        (option::weighted(0.2, Just("entry 1".to_owned())), option::weighted(0.2, 0_i64..11)),
        time(),
        time(),
    )
        .prop_map(
            |(
                categories,
                others,
                severities,
                actions,
                excluded,
                actors,
                entity_type,
                (message_contains, tenth),
                since,
                until,
            )| {
                let (severities, exclude_severities) = severities;
                let (entity_type, exclude_entity_types) = entity_type;
                ActivityLogFilters {
                    categories: categories.into_iter().map(Into::into).collect(),
                    exclude_categories: others.unwrap_or_default().into_iter().map(Into::into).collect(),
                    severities,
                    exclude_severities: exclude_severities.unwrap_or_default(),
                    actions,
                    exclude_actions: excluded.unwrap_or_default(),
                    actors,
                    entity_type,
                    exclude_entity_types: exclude_entity_types.unwrap_or_default(),
                    message_contains,
                    metadata: tenth.map(|tenth: i64| ("tenth".to_owned(), tenth.into())).into_iter().collect(),
                    since,
                    until,
                    ..ActivityLogFilters::default()
                }
            },
        )
}

/// Compares a page before and a page after a cursor, and a count, with the list. `matches` gives the same answers as a plain
/// test of each filter, as the test of the model shows.
fn assert_agrees(
    log: &mut ActivityLogRepository<'_>,
    entries: &[ActivityLogEntry],
    filters: &ActivityLogFilters,
    cursor: Option<i64>,
) -> TestResult {
    let matching = || entries.iter().filter(|entry| filters.matches(entry)).cloned();
    let older = matching().rev().filter(|entry| cursor.is_none_or(|cursor| entry.seq < cursor));
    assert_eq!(log.query(filters, cursor, PAGE)?, older.take(PAGE as usize).collect::<Vec<_>>());
    let after = cursor.unwrap_or_default();
    let newer = matching().filter(|entry| entry.seq > after).take(PAGE as usize);
    assert_eq!(log.query_after(filters, after, PAGE)?, newer.collect::<Vec<_>>());
    let count = matching().count() as u64;
    assert_eq!(log.count_up_to(filters, 40)?, count.min(40));
    assert_eq!(log.count(filters)?, count);
    Ok(())
}

#[test]
fn several_filters_together_pass_what_a_plain_list_has() -> TestResult {
    let (mut conn, entries) = log_of_many_kinds()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let log = std::cell::RefCell::new(&mut log);
    runner.run(&(filters(), option::of(0..ENTRIES)), |(filters, cursor)| {
        let agreed = assert_agrees(&mut log.borrow_mut(), &entries, &filters, cursor);
        agreed.map_err(|error| TestCaseError::fail(error.to_string()))
    })?;
    Ok(())
}
