//! Random entries and filters, biased towards values with a special meaning somewhere between the caller and the disk.

use std::fmt::Debug;

use activity_log::{ActivityCategory, ActivityLogFilters, ActivitySeverity, Facet, NewActivityLogEntry};
use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Texts that a comparison could take for each other: by case, by normal form, as patterns, or by where a text ends.
const HOSTILE_WORDS: [&str; 18] = [
    "\0",
    "\u{FFFD}",
    "\u{FFFE}",
    "K",
    "k",
    // The Kelvin sign: its lower case is the letter k.
    "\u{212A}",
    "İ",
    "ß",
    "ẞ",
    "é",
    "e\u{301}",
    "😀",
    "\u{10FFFF}",
    "\\",
    "_",
    "a ",
    "a\0b",
    "a.",
];

pub(super) fn word() -> impl Strategy<Value = String> {
    let words = select(vec!["", "a", "A", "b", "%", "'"]);
    prop_oneof![5 => words, 1 => select(HOSTILE_WORDS.to_vec())].prop_map(str::to_owned)
}

fn category() -> impl Strategy<Value = ActivityCategory> {
    let names = select(vec!["auth", "device", "billing"]);
    prop_oneof![9 => names.prop_map(ActivityCategory::from), 1 => word().prop_map(ActivityCategory::from)]
}

pub(super) fn severity() -> impl Strategy<Value = ActivitySeverity> {
    select(ActivitySeverity::ALL.to_vec())
}

fn action() -> impl Strategy<Value = String> {
    let names = ["act", "job", "job.", "job.run", "job.run.a", "jobs.run", "job/", "", "job.\u{10FFFF}", "JOB.run"];
    select(names.to_vec()).prop_map(str::to_owned)
}

fn asked_action() -> impl Strategy<Value = String> {
    let beginnings = select(vec!["job.*", "job.run.*", ".*", "*", "job*", "JOB.*"]).prop_map(str::to_owned);
    prop_oneof![2 => action(), 2 => beginnings]
}

pub(super) fn message() -> impl Strategy<Value = String> {
    let pieces = [
        "a", "A", "b", "%", "_", "\\", "é", "É", "e\u{301}", "\u{FFFD}", "\u{FFFF}", "\0", "k", "\u{212A}", "İ", "i",
        "ß", "😀", " ", "'",
    ];
    vec(select(pieces.to_vec()), 0..6).prop_map(|parts| parts.concat())
}

/// Times close together, with whole seconds among them.
pub(super) fn near_time() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..4, select(vec![0_i64, 1, 500_000, 999_999])).prop_map(|(seconds, micros)| {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds) + TimeDelta::microseconds(micros)
    })
}

/// The ends of what a log stores and of what chrono represents, and a leap second.
fn far_times() -> Vec<DateTime<Utc>> {
    let year =
        |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN).and_utc();
    let tick = TimeDelta::nanoseconds(1);
    let leap_second = (DateTime::UNIX_EPOCH + TimeDelta::seconds(59)).with_nanosecond(1_500_000_000);
    vec![
        year(1),
        year(10_000) - tick,
        year(1) - tick,
        year(10_000),
        year(-4_713),
        year(-10_000),
        leap_second.unwrap_or_default(),
        DateTime::UNIX_EPOCH - tick,
        DateTime::<Utc>::MIN_UTC,
        DateTime::<Utc>::MAX_UTC,
    ]
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![40 => near_time(), 1 => select(far_times())]
}

/// Bounds at, between and beyond those times.
pub(super) fn bound() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![
        8 => (near_time(), -1_i64..=1).prop_map(|(ts, nanos)| ts + TimeDelta::nanoseconds(nanos)),
        1 => select(far_times()),
    ]
}

/// Arrays in an object that is `depth` levels deep.
pub(super) fn nested(depth: usize) -> Map<String, Value> {
    let value = (2..depth).fold(json!([]), |value, _| Value::Array(vec![value]));
    Map::from_iter([("deep".to_owned(), value)])
}

fn metadata() -> impl Strategy<Value = Map<String, Value>> {
    let numbers = [json!(-0.0), json!(1e2), json!(0.1), json!(u64::MAX), json!(i64::MIN), json!(7), json!(null)];
    let value = prop_oneof![json_word().prop_map(Value::from), select(numbers.to_vec())];
    let of_one = |(key, value): (String, Value)| json!({key: value});
    let within = (json_word(), value.clone()).prop_map(move |member| json!([of_one(member)]));
    let pairs = vec((json_word(), prop_oneof![4 => value, 1 => within]), 0..3).prop_map(Map::from_iter);
    prop_oneof![40 => pairs, 1 => select(vec![126_usize, 127, 128]).prop_map(nested)]
}

/// A text of which some look like JSON themselves.
fn json_word() -> impl Strategy<Value = String> + Clone {
    let pieces = ["{", "}", ",", ":", "\"", "\\", "a", "1"];
    let json = vec(select(pieces.to_vec()), 0..6).prop_map(|pieces| pieces.concat());
    prop_oneof![2 => select(vec!["a", "b", ""]).prop_map(str::to_owned), 1 => word(), 1 => json].boxed()
}

/// Ids of which some are taken already, or equal another once they are stored.
fn id() -> impl Strategy<Value = Option<String>> {
    let ids = ["one", "two", "One", "\0", "\u{FFFD}", "one\0", "one\u{FFFD}", ""];
    option::weighted(0.04, select(ids.to_vec()).prop_map(str::to_owned))
}

/// Makes one text longer than an entry may have.
fn lengthen(entry: &mut NewActivityLogEntry, field: u32) {
    match field {
        0 => entry.id = "é".repeat(129),
        1 => entry.actor = "a".repeat(1_025),
        // Stored in three bytes each.
        2 => entry.actor = "\0".repeat(342),
        3 => entry.action = "a".repeat(257),
        4 => entry.entity_id = Some("a".repeat(1_025)),
        5 => entry.message = "a".repeat((64 << 10) + 1),
        6 => entry.category = "a".repeat(257).into(),
        // As long as it may be.
        _ => entry.actor = "\0".repeat(341),
    }
}

pub(super) fn entry() -> impl Strategy<Value = NewActivityLogEntry> {
    let names = (category(), action(), word(), message(), id());
    let entity = (option::of(word()), option::of(word()), option::weighted(0.2, word()));
    let rest = (severity(), time(), metadata(), option::weighted(0.01, 0_u32..8));
    (names, entity, rest).prop_map(|(names, (entity_type, entity_id, entity_name), (severity, ts, metadata, long))| {
        let (category, action, actor, message, id) = names;
        let entry = NewActivityLogEntry::new(category, action, actor, message);
        let id = id.unwrap_or_else(|| entry.id.clone());
        let mut entry =
            NewActivityLogEntry { id, severity, ts, entity_type, entity_id, entity_name, metadata, ..entry };
        if let Some(field) = long {
            lengthen(&mut entry, field);
        }
        entry
    })
}

/// An entry that is stored beside any other.
pub(super) fn plain_entry() -> impl Strategy<Value = NewActivityLogEntry> {
    (entry(), near_time()).prop_map(|(entry, ts)| NewActivityLogEntry {
        ts,
        id: "replaced".to_owned(),
        actor: entry.actor.chars().take(3).collect(),
        action: entry.action.chars().take(9).collect(),
        category: entry.category.as_str().chars().take(9).collect::<String>().into(),
        entity_id: entry.entity_id.map(|id| id.chars().take(3).collect()),
        message: entry.message.chars().take(9).collect(),
        metadata: Map::new(),
        ..entry
    })
}

/// One list with as many values as statements have few of, or as any statement takes, or one more.
fn long_list() -> impl Strategy<Value = ActivityLogFilters> {
    let values = |count: usize| {
        let others = (1..count).map(|number| format!("value {number}"));
        others.chain(["a".to_owned()]).collect::<Vec<_>>()
    };
    let beginnings =
        |count: usize| (1..count).map(|number| format!("v{number}.*")).chain(["job.*".to_owned()]).collect::<Vec<_>>();
    let everything = ActivityLogFilters::default;
    prop_oneof![
        select(vec![256_usize, 257, 32_000, 32_001])
            .prop_map(move |count| ActivityLogFilters { actors: values(count), ..everything() }),
        select(vec![256_usize, 257, 32_000, 32_001])
            .prop_map(move |count| ActivityLogFilters { exclude_actors: values(count), ..everything() }),
        select(vec![256_usize, 257, 32_000, 32_001]).prop_map(move |count| ActivityLogFilters {
            exclude_categories: values(count).into_iter().map(ActivityCategory::from).collect(),
            ..everything()
        }),
        select(vec![256_usize, 257, 32_000, 32_001])
            .prop_map(move |count| ActivityLogFilters { exclude_entity_types: values(count), ..everything() }),
        select(vec![200_usize, 201])
            .prop_map(move |count| ActivityLogFilters { actions: beginnings(count), ..everything() }),
        select(vec![200_usize, 201])
            .prop_map(move |count| ActivityLogFilters { exclude_actions: beginnings(count), ..everything() }),
    ]
}

pub(super) fn filters() -> impl Strategy<Value = ActivityLogFilters> {
    prop_oneof![60 => short_filters(), 1 => long_list()]
}

fn short_filters() -> impl Strategy<Value = ActivityLogFilters> {
    // Mostly unset, because otherwise almost nothing would match.
    let maybe = |word| option::weighted(0.15, word);
    let lists = (
        listed(3, category()),
        listed(5, category()),
        listed(3, severity()),
        listed(5, severity()),
        listed(5, asked_action()),
        listed(5, asked_action()),
        listed(7, word()),
        listed(7, word()),
        listed(7, word()),
    );
    let times = (option::weighted(0.2, bound()), option::weighted(0.2, bound()));
    let contents = (option::weighted(0.2, message()), option::weighted(0.2, metadata()));
    (lists, maybe(word()), maybe(word()), maybe(word()), times, contents).prop_map(
        |(lists, actor, entity_type, entity_id, (since, until), (message_contains, metadata))| {
            let (
                categories,
                exclude_categories,
                severities,
                exclude_severities,
                actions,
                exclude_actions,
                actors,
                exclude_actors,
                exclude_entity_types,
            ) = lists;
            ActivityLogFilters {
                categories,
                exclude_categories,
                severities,
                exclude_severities,
                actions,
                exclude_actions,
                actor,
                actors,
                exclude_actors,
                entity_type,
                exclude_entity_types,
                entity_id,
                since,
                until,
                message_contains,
                metadata: metadata.unwrap_or_default(),
            }
        },
    )
}

/// A list that is mostly empty, by these odds. Boxed, because together the strategies would fill a test's stack.
fn listed<T: Clone + Debug + 'static>(odds: u32, value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Vec<T>> {
    prop_oneof![odds => Just(vec![]), 1 => vec(value, 0..4)].boxed()
}

pub(super) fn facet() -> impl Strategy<Value = Facet> {
    select(vec![Facet::Category, Facet::Severity, Facet::Action, Facet::Actor, Facet::EntityType])
}
