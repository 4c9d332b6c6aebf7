//! Random operations give the same answers on the log and on a naive model, a plain list.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivityLogFilters, ActivityLogPage, ActivitySeverity, Facet, FacetValue,
    Facets, NewActivityLogEntry, SeverityCounts,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::database::{ActivityLogRepository, empty_log};
use crate::support::{TestResult, read_back};

#[derive(Debug, Clone)]
enum Operation {
    Record(NewActivityLogEntry),
    RecordAll(Vec<NewActivityLogEntry>),
    /// More entries than one batch of an export or a prune.
    RecordMany(NewActivityLogEntry, usize),
    Query(ActivityLogFilters, Option<i64>, u32),
    Page(ActivityLogFilters, Option<i64>, u32),
    QueryAfter(ActivityLogFilters, i64, u32),
    PageAfter(ActivityLogFilters, i64, u32),
    /// The entry of a number in the list, or none.
    Get(usize),
    Count(ActivityLogFilters),
    Facets(ActivityLogFilters, Facet, u32),
    Histogram(ActivityLogFilters, Vec<DateTime<Utc>>),
    Export(ActivityLogFilters),
    Prune(Option<DateTime<Utc>>, Option<u64>),
    Clear,
}

/// The log as a list, oldest first.
#[derive(Default)]
struct Model {
    entries: Vec<ActivityLogEntry>,
    last_seq: i64,
}

impl Model {
    fn record(&mut self, entry: NewActivityLogEntry) -> i64 {
        self.last_seq += 1;
        self.entries.push(read_back(entry, self.last_seq));
        self.last_seq
    }

    fn matching(&self, filters: &ActivityLogFilters) -> Vec<ActivityLogEntry> {
        self.entries.iter().filter(|entry| passes(entry, filters)).cloned().collect()
    }

    fn query(&self, filters: &ActivityLogFilters, before_seq: Option<i64>, limit: usize) -> Vec<ActivityLogEntry> {
        let mut matching = self.matching(filters);
        matching.retain(|entry| before_seq.is_none_or(|before_seq| entry.seq < before_seq));
        matching.reverse();
        matching.truncate(limit);
        matching
    }

    /// The matching entries older than `before_seq`, newest first, in a page with the cursors around it.
    fn page(&self, filters: &ActivityLogFilters, before_seq: Option<i64>, limit: usize) -> ActivityLogPage {
        let entries = self.query(filters, before_seq, limit);
        let end = before_seq.map(|before_seq| before_seq.saturating_sub(1));
        self.around(filters, entries, end, before_seq)
    }

    /// The matching entries newer than `after_seq`, newest first, in a page with the cursors around it.
    fn page_after(&self, filters: &ActivityLogFilters, after_seq: i64, limit: usize) -> ActivityLogPage {
        let mut entries = self.matching(filters);
        entries.retain(|entry| entry.seq > after_seq);
        entries.truncate(limit);
        entries.reverse();
        self.around(filters, entries, Some(after_seq), Some(after_seq.saturating_add(1)))
    }

    /// A page with its cursors: the first and the last `seq` of its entries, or of an empty page these two, if an entry
    /// matches beyond.
    fn around(
        &self,
        filters: &ActivityLogFilters,
        entries: Vec<ActivityLogEntry>,
        after_seq: Option<i64>,
        before_seq: Option<i64>,
    ) -> ActivityLogPage {
        let matching = self.matching(filters);
        let after_seq = entries.first().map(|newest| newest.seq).or(after_seq);
        let before_seq = entries.last().map(|oldest| oldest.seq).or(before_seq);
        ActivityLogPage {
            prev_after_seq: after_seq.filter(|after| matching.iter().any(|entry| entry.seq > *after)),
            next_before_seq: before_seq.filter(|before| matching.iter().any(|entry| entry.seq < *before)),
            entries,
        }
    }

    fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> u64 {
        let before = self.entries.len();
        self.entries.retain(|entry| before_ts.is_none_or(|before_ts| entry.ts >= before_ts));
        if let Some(max_entries) = max_entries {
            let excess = self.entries.len().saturating_sub(max_entries as usize);
            self.entries.drain(..excess);
        }
        (before - self.entries.len()) as u64
    }
}

fn passes(entry: &ActivityLogEntry, filters: &ActivityLogFilters) -> bool {
    (filters.categories.is_empty() || filters.categories.contains(&entry.category))
        && (filters.severities.is_empty() || filters.severities.contains(&entry.severity))
        && (is_unset(&filters.actions) || filters.actions.iter().any(|action| is_action(action, entry)))
        && !filters.exclude_actions.iter().any(|action| is_action(action, entry))
        && is(&filters.actor, Some(&entry.actor))
        && (is_unset(&filters.actors) || filters.actors.contains(&entry.actor) && !entry.actor.is_empty())
        && (!filters.exclude_actors.contains(&entry.actor) || entry.actor.is_empty())
        && is(&filters.entity_type, entry.entity_type.as_ref())
        && is(&filters.entity_id, entry.entity_id.as_ref())
        && filters.since.is_none_or(|since| entry.ts >= since)
        && filters.until.is_none_or(|until| entry.ts <= until)
        && filters
            .message_contains
            .as_ref()
            .is_none_or(|term| entry.message.to_ascii_lowercase().contains(&term.to_ascii_lowercase()))
}

/// An empty text restricts nothing.
fn is(filter: &Option<String>, value: Option<&String>) -> bool {
    filter.as_ref().is_none_or(|filter| filter.is_empty() || Some(filter) == value)
}

fn is_unset(list: &[String]) -> bool {
    list.iter().all(String::is_empty)
}

fn is_action(filter: &str, entry: &ActivityLogEntry) -> bool {
    match filter.strip_suffix(".*") {
        Some(area) => entry.action.starts_with(&format!("{area}.")),
        None => !filter.is_empty() && filter == entry.action,
    }
}

fn category() -> impl Strategy<Value = ActivityCategory> {
    select(vec!["auth", "device", "billing"]).prop_map(ActivityCategory::from)
}

fn severity() -> impl Strategy<Value = ActivitySeverity> {
    select(ActivitySeverity::ALL.to_vec())
}

fn word() -> impl Strategy<Value = String> {
    select(vec!["", "a", "A", "b", "%", "'"]).prop_map(str::to_owned)
}

fn action() -> impl Strategy<Value = String> {
    select(vec!["act", "job", "job.", "job.run", "job.run.a", "jobs.run", "job/", ""]).prop_map(str::to_owned)
}

fn asked_action() -> impl Strategy<Value = String> {
    prop_oneof![2 => action(), 2 => select(vec!["job.*", "job.run.*", ".*", "*", "job*"]).prop_map(str::to_owned)]
}

fn message() -> impl Strategy<Value = String> {
    vec(select(vec!["a", "A", "b", "%", "_", "\\", "é", "É", "\u{FFFD}", "\u{FFFF}"]), 0..6)
        .prop_map(|parts| parts.concat())
}

/// Times close together, with whole seconds among them.
fn ts() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..4, select(vec![0_i64, 1, 500_000, 999_999])).prop_map(|(seconds, micros)| {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds) + TimeDelta::microseconds(micros)
    })
}

/// Bounds at, between and beyond those times.
fn bound() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![
        8 => (ts(), -1_i64..=1).prop_map(|(ts, nanos)| ts + TimeDelta::nanoseconds(nanos)),
        1 => select(vec![DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC]),
    ]
}

fn entry() -> impl Strategy<Value = NewActivityLogEntry> {
    let entity = (option::of(word()), option::of(word()));
    (category(), action(), severity(), word(), entity, ts(), message()).prop_map(
        |(category, action, severity, actor, (entity_type, entity_id), ts, message)| NewActivityLogEntry {
            severity,
            ts,
            entity_type,
            entity_id,
            ..NewActivityLogEntry::new(category, action, actor, message)
        },
    )
}

fn filters() -> impl Strategy<Value = ActivityLogFilters> {
    // Mostly unset, because otherwise almost nothing would match.
    let maybe = |word| option::weighted(0.15, word);
    let lists = (
        prop_oneof![3 => Just(vec![]), 1 => vec(category(), 0..3)],
        prop_oneof![3 => Just(vec![]), 1 => vec(severity(), 0..3)],
        prop_oneof![5 => Just(vec![]), 1 => vec(asked_action(), 0..3)],
        prop_oneof![5 => Just(vec![]), 1 => vec(asked_action(), 0..3)],
        prop_oneof![7 => Just(vec![]), 1 => vec(word(), 0..3)],
        prop_oneof![7 => Just(vec![]), 1 => vec(word(), 0..3)],
    );
    let times = (option::weighted(0.2, bound()), option::weighted(0.2, bound()));
    (lists, maybe(word()), maybe(word()), maybe(word()), times, option::weighted(0.2, message())).prop_map(
        |(lists, actor, entity_type, entity_id, (since, until), message_contains)| {
            let (categories, severities, actions, exclude_actions, actors, exclude_actors) = lists;
            ActivityLogFilters {
                categories,
                severities,
                actions,
                exclude_actions,
                actor,
                actors,
                exclude_actors,
                entity_type,
                entity_id,
                since,
                until,
                message_contains,
            }
        },
    )
}

fn facet() -> impl Strategy<Value = Facet> {
    select(vec![Facet::Category, Facet::Severity, Facet::Action, Facet::Actor, Facet::EntityType])
}

fn cursor() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0_i64..60, 1 => select(vec![i64::MIN, -1, i64::MAX])]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => entry().prop_map(Operation::Record),
        3 => vec(entry(), 0..12).prop_map(Operation::RecordAll),
        1 => (entry(), 400_usize..1_200).prop_map(|(entry, count)| Operation::RecordMany(entry, count)),
        3 => (filters(), option::of(cursor()), 0_u32..12).prop_map(|(f, c, l)| Operation::Query(f, c, l)),
        3 => (filters(), option::of(cursor()), 0_u32..12).prop_map(|(f, c, l)| Operation::Page(f, c, l)),
        2 => (filters(), cursor(), 0_u32..12).prop_map(|(f, c, l)| Operation::QueryAfter(f, c, l)),
        3 => (filters(), cursor(), 0_u32..12).prop_map(|(f, c, l)| Operation::PageAfter(f, c, l)),
        1 => (0_usize..60).prop_map(Operation::Get),
        2 => filters().prop_map(Operation::Count),
        2 => (filters(), facet(), 0_u32..5).prop_map(|(f, by, l)| Operation::Facets(f, by, l)),
        2 => (filters(), vec(bound(), 2..6)).prop_map(|(f, mut edges)| { edges.sort(); Operation::Histogram(f, edges) }),
        2 => filters().prop_map(Operation::Export),
        2 => (option::of(bound()), option::of(prop_oneof![0_u64..30, 0_u64..1_500])).prop_map(|(b, m)| Operation::Prune(b, m)),
        1 => Just(Operation::Clear),
    ]
}

fn frequencies(entries: &[ActivityLogEntry], facet: Facet, limit: usize) -> Facets {
    let mut values = BTreeMap::new();
    for entry in entries {
        let value = match facet {
            Facet::Category => Some(entry.category.as_str()),
            Facet::Severity => Some(entry.severity.as_str()),
            Facet::Action => Some(entry.action.as_str()),
            Facet::Actor => Some(entry.actor.as_str()),
            Facet::EntityType => entry.entity_type.as_deref().filter(|name| !name.is_empty()),
        };
        if let Some(value) = value {
            *values.entry(value.to_owned()).or_insert(0) += 1;
        }
    }
    let mut values = values.into_iter().map(|(value, entries)| FacetValue { value, entries }).collect::<Vec<_>>();
    values.sort_by_key(|value| Reverse(value.entries));
    let more = values.len() > limit;
    values.truncate(limit);
    Facets { values, more }
}

fn counts(entries: &[ActivityLogEntry], from: DateTime<Utc>, to: DateTime<Utc>) -> SeverityCounts {
    let within = entries.iter().filter(|entry| entry.ts >= from && entry.ts < to);
    within.fold(SeverityCounts::default(), |mut counts, entry| {
        match entry.severity {
            ActivitySeverity::Info => counts.info += 1,
            ActivitySeverity::Warning => counts.warning += 1,
            ActivitySeverity::Error => counts.error += 1,
        }
        counts
    })
}

/// Applies one operation to the log and to the model, and fails where the answers differ.
fn agree(model: &mut Model, log: &mut ActivityLogRepository<'_>, operation: Operation) -> TestResult {
    match operation {
        Operation::Record(entry) => assert_eq!(log.record(&entry)?, model.record(entry)),
        Operation::RecordAll(entries) => {
            assert_eq!(log.record_all(&entries)?, entries.len());
            for entry in entries {
                model.record(entry);
            }
        }
        Operation::RecordMany(entry, count) => {
            let number = model.last_seq;
            let entries = (0..count).map(|n| entry.clone().id(format!("{number} {n}"))).collect::<Vec<_>>();
            agree(model, log, Operation::RecordAll(entries))?;
        }
        Operation::Query(filters, before_seq, limit) => {
            assert_eq!(log.query(&filters, before_seq, limit)?, model.query(&filters, before_seq, limit as usize));
        }
        Operation::Page(filters, before_seq, limit) => {
            let expected = match limit {
                0 => ActivityLogPage::default(),
                _ => model.page(&filters, before_seq, limit as usize),
            };
            assert_eq!(log.page(&filters, before_seq, limit)?, expected);
        }
        Operation::QueryAfter(filters, after_seq, limit) => {
            let mut expected = model.matching(&filters);
            expected.retain(|entry| entry.seq > after_seq);
            expected.truncate(limit as usize);
            assert_eq!(log.query_after(&filters, after_seq, limit)?, expected);
        }
        Operation::PageAfter(filters, after_seq, limit) => {
            let expected = match limit {
                0 => ActivityLogPage::default(),
                _ => model.page_after(&filters, after_seq, limit as usize),
            };
            assert_eq!(log.page_after(&filters, after_seq, limit)?, expected);
        }
        Operation::Get(number) => {
            let entry = model.entries.get(number);
            let id = entry.map_or("none", |entry| &entry.id);
            assert_eq!(log.get(id)?.as_ref(), entry);
        }
        Operation::Count(filters) => assert_eq!(log.count(&filters)?, model.matching(&filters).len() as u64),
        Operation::Facets(filters, facet, limit) => {
            let matching = model.matching(&filters);
            assert!(model.entries.iter().all(|entry| filters.matches(entry) == passes(entry, &filters)));
            assert_eq!(log.facets(&filters, facet, limit)?, frequencies(&matching, facet, limit as usize));
        }
        Operation::Histogram(filters, edges) => {
            let matching = model.matching(&filters);
            let buckets = edges.iter().zip(edges.iter().skip(1)).map(|(from, to)| counts(&matching, *from, *to));
            assert_eq!(log.histogram(&filters, &edges)?, buckets.collect::<Vec<_>>());
        }
        Operation::Export(filters) => {
            let exported = log.iter_export(&filters)?.collect::<activity_log::Result<Vec<_>>>()?;
            assert_eq!(exported, model.matching(&filters));
        }
        Operation::Prune(before_ts, max_entries) => {
            assert_eq!(log.prune(before_ts, max_entries)?, model.prune(before_ts, max_entries));
        }
        Operation::Clear => {
            assert_eq!(log.clear()?, model.entries.len() as u64);
            model.entries.clear();
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_answers_as_a_plain_list_would(operations in vec(operation(), 1..40)) {
        let mut model = Model::default();
        let mut conn = empty_log().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut log = ActivityLogRepository::new(&mut conn);
        for operation in operations {
            agree(&mut model, &mut log, operation).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
    }
}
