//! What is done to a log, chosen at random.

use activity_log::{ActivityLogFilters, ActivitySeverity, Facet, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::behaviour::model::inputs::{
    bound, entry, facet, filters, message, near_time, nested, plain_entry, severity, word,
};
use crate::behaviour::retention_model::{Rules, rules};

/// An operation. Its cursors are positions: the entry that was recorded first has position 1.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Record(NewActivityLogEntry),
    RecordAll(Vec<NewActivityLogEntry>),
    Query(ActivityLogFilters, Option<i64>, u32),
    /// A page, which ends at this number of bytes.
    Page(ActivityLogFilters, Option<i64>, u32, usize),
    QueryAfter(ActivityLogFilters, i64, u32),
    PageAfter(ActivityLogFilters, i64, u32, usize),
    /// The entry with the id of the entry at a position, or with this id.
    Get(Result<usize, String>),
    NewestSeq,
    Count(ActivityLogFilters),
    CountUpTo(ActivityLogFilters, u64),
    Facets(ActivityLogFilters, Facet, u32),
    Histogram(ActivityLogFilters, Vec<DateTime<Utc>>),
    Export(ActivityLogFilters),
    Prune(Option<DateTime<Utc>>, Option<u64>),
    Retain(Rules, DateTime<Utc>),
    Rewrite(ActivityLogFilters, Change),
    EraseActor(String, String),
    EraseTexts(Vec<String>, String),
    Clear,
}

/// What a rewrite does to an entry.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Kind(ActivitySeverity, String),
    Actor(String),
    Entity(Option<String>, Option<String>),
    Message(String),
    /// Metadata with so many levels, in the entries whose message contains an `a`.
    Metadata(usize),
}

impl Change {
    pub(crate) fn make(&self, entry: &mut NewActivityLogEntry) {
        match self {
            Self::Kind(severity, name) => {
                entry.severity = *severity;
                entry.category = name.as_str().into();
            }
            Self::Actor(name) => entry.actor.clone_from(name),
            Self::Entity(name, id) => {
                entry.entity_type.clone_from(name);
                entry.entity_id.clone_from(id);
            }
            Self::Message(text) => entry.message.clone_from(text),
            Self::Metadata(depth) if entry.message.contains('a') => entry.metadata = nested(*depth),
            Self::Metadata(_) => entry.message.push('+'),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (severity(), word()).prop_map(|(severity, name)| Change::Kind(severity, name)),
        word().prop_map(Change::Actor),
        (option::of(word()), option::of(word())).prop_map(|(name, id)| Change::Entity(name, id)),
        message().prop_map(Change::Message),
        select(vec![2_usize, 127, 128]).prop_map(Change::Metadata),
    ]
}

fn cursor() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0_i64..60, 2 => 0_i64..50_000, 1 => select(vec![i64::MIN, -1, i64::MAX])]
}

fn limit() -> impl Strategy<Value = u32> {
    prop_oneof![12 => 0_u32..12, 1 => select(vec![600_u32, 2_000, u32::MAX])]
}

fn page_bytes() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(8_usize << 20), 1 => 0_usize..900]
}

fn edges() -> impl Strategy<Value = Vec<DateTime<Utc>>> {
    let ascending = vec(bound(), 2..6).prop_map(|mut edges| {
        edges.sort();
        edges
    });
    prop_oneof![9 => ascending, 1 => vec(bound(), 0..3)]
}

/// Many entries that are like these, in turn, with times that go forward.
pub(crate) fn many(count: impl Strategy<Value = i32>) -> impl Strategy<Value = Operation> {
    (vec(plain_entry(), 1..9), count).prop_map(|(like, count)| {
        let entries = like.iter().cycle().zip(0..count).map(|(entry, number)| NewActivityLogEntry {
            ts: entry.ts + TimeDelta::seconds(4) * number / count,
            ..NewActivityLogEntry { id: NewActivityLogEntry::new("a", "a", "a", "a").id, ..entry.clone() }
        });
        Operation::RecordAll(entries.collect())
    })
}

/// An operation that leaves the log as it is.
pub(crate) fn question() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (filters(), option::of(cursor()), limit()).prop_map(|(f, c, l)| Operation::Query(f, c, l)),
        3 => (filters(), option::of(cursor()), limit(), page_bytes()).prop_map(|(f, c, l, b)| Operation::Page(f, c, l, b)),
        2 => (filters(), cursor(), limit()).prop_map(|(f, c, l)| Operation::QueryAfter(f, c, l)),
        3 => (filters(), cursor(), limit(), page_bytes()).prop_map(|(f, c, l, b)| Operation::PageAfter(f, c, l, b)),
        1 => (0_usize..60).prop_map(|position| Operation::Get(Ok(position))),
        1 => word().prop_map(|id| Operation::Get(Err(id))),
        1 => Just(Operation::NewestSeq),
        2 => filters().prop_map(Operation::Count),
        2 => (filters(), prop_oneof![0_u64..30, 0_u64..9_999, Just(u64::MAX)]).prop_map(|(f, l)| Operation::CountUpTo(f, l)),
        2 => (filters(), facet(), 0_u32..5).prop_map(|(f, by, l)| Operation::Facets(f, by, l)),
        2 => (filters(), edges()).prop_map(|(f, edges)| Operation::Histogram(f, edges)),
        2 => filters().prop_map(Operation::Export),
    ]
}

/// An operation that changes entries or deletes some.
pub(crate) fn alteration() -> impl Strategy<Value = Operation> {
    let most = option::of(prop_oneof![0_u64..30, 0_u64..1_500, 0_u64..50_000]);
    prop_oneof![
        2 => (option::of(bound()), most).prop_map(|(b, m)| Operation::Prune(b, m)),
        1 => (rules(), near_time()).prop_map(|(rules, now)| Operation::Retain(rules, now)),
        1 => (filters(), change()).prop_map(|(f, change)| Operation::Rewrite(f, change)),
        1 => (word(), select(vec!["b", "x y", ""])).prop_map(|(actor, by)| Operation::EraseActor(actor, by.to_owned())),
        1 => (vec(word(), 0..3), select(vec!["b", "x y"])).prop_map(|(texts, by)| Operation::EraseTexts(texts, by.to_owned())),
    ]
}

/// Any operation on a log of some entries.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        12 => entry().prop_map(Operation::Record),
        6 => vec(entry(), 0..12).prop_map(Operation::RecordAll),
        // More entries than one batch of an export or a prune.
        2 => many(400..1_200),
        50 => question(),
        7 => alteration(),
        1 => Just(Operation::Clear),
    ]
}
