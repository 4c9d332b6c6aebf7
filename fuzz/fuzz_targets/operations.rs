//! Any sequence of operations, with any filters, gives the same answers as a plain list.

#![no_main]

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;

use activity_log::histogram::{MAX_BUCKETS, equal_edges};
use activity_log::{ActivityLogFilters, Error, Facet, NewActivityLogEntry, RetentionPolicy};
use activity_log_fuzz::changes::{Change, erase};
use activity_log_fuzz::filters::{Filters, Value, actor_of, category, of, text, time};
use activity_log_fuzz::input::{Category, Entry, Severity, Text, Time};
use activity_log_fuzz::model::{Model, Refusal, Retention};
use activity_log_fuzz::passes::Passes;
use activity_log_fuzz::{normal, unlimited};
use arbitrary::Arbitrary;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Step {
    Operation(Operation),
    /// Several operations in one transaction, which is then committed or rolled back.
    Transaction(Vec<Operation>, bool),
}

#[derive(Debug, Arbitrary)]
enum Operation {
    Record(Box<Entry>),
    RecordAll(Vec<Entry>),
    /// The same entry with different ids: a few copies, or rarely more than a batch of an export or a prune holds.
    RecordMany(Box<Entry>, u8),
    /// Rewrites times on a whole second as Python writes them.
    RespellTimes,
    /// Uses up numbers, so that the next entry is in another segment.
    Skip(u16),
    Query(Filters, Option<Cursor>, u32),
    Page(Filters, Option<Cursor>, u32),
    /// All pages to the oldest, and back to the newest.
    Walk(Filters, u8),
    QueryAfter(Filters, Cursor, u32),
    PageAfter(Filters, Cursor, u32),
    Get(Value<Text>),
    Count(Filters),
    CountUpTo(Filters, u16),
    Facets(Filters, FacetInput, u8),
    Histogram(Filters, Edges),
    Export(Filters),
    /// With `VACUUM` or without.
    Rewrite(Filters, Change, bool),
    EraseActor(Value<Text>, Text, bool),
    Prune(Option<Value<Time>>, Option<u16>),
    PruneBeyond(u64),
    Retain(Policy),
    Clear,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum FacetInput {
    Category,
    Severity,
    Action,
    Actor,
    EntityType,
}

impl From<FacetInput> for Facet {
    fn from(facet: FacetInput) -> Self {
        match facet {
            FacetInput::Category => Self::Category,
            FacetInput::Severity => Self::Severity,
            FacetInput::Action => Self::Action,
            FacetInput::Actor => Self::Actor,
            FacetInput::EntityType => Self::EntityType,
        }
    }
}

#[derive(Debug, Arbitrary)]
enum Edges {
    Sorted(Vec<Value<Time>>),
    Any(Vec<Value<Time>>),
    /// Of so many buckets.
    Equal(Value<Time>, Value<Time>, u16),
    /// An edge, and so many more, each so many microseconds after the last.
    Steps(Value<Time>, u16, u32),
}

impl Edges {
    fn resolve(self, model: &Model) -> Vec<DateTime<Utc>> {
        let times = |times: Vec<Value<Time>>| times.into_iter().filter_map(|value| time(Some(value), model)).collect();
        match self {
            Self::Any(edges) => times(edges),
            Self::Sorted(edges) => {
                let mut edges: Vec<_> = times(edges);
                edges.sort_unstable();
                edges
            }
            Self::Equal(since, until, buckets) => {
                let (Some(since), Some(until)) = (time(Some(since), model), time(Some(until), model)) else {
                    return Vec::new();
                };
                let buckets = usize::from(buckets) % (MAX_BUCKETS + 2);
                let (first, last) = (since.timestamp_micros(), until.timestamp_micros());
                match equal_edges(since, until, buckets) {
                    Ok(edges) => {
                        let micros = edges.iter().map(DateTime::timestamp_micros).collect::<Vec<_>>();
                        assert!(micros.is_sorted_by(|one, other| one < other), "{edges:?}");
                        assert_eq!((micros.first(), micros.last()), (Some(&first), Some(&last)));
                        let all = i128::from(last) - i128::from(first) >= buckets as i128;
                        assert!(if all { edges.len() == buckets + 1 } else { edges.len() <= buckets });
                        edges
                    }
                    Err(Error::InvalidFilter { field: "edges", .. })
                        if first >= last || buckets == 0 || buckets > MAX_BUCKETS =>
                    {
                        Vec::new()
                    }
                    Err(error) => panic!("{error} for {buckets} buckets from {since} to {until}"),
                }
            }
            Self::Steps(first, steps, micros) => {
                let Some(first) = time(Some(first), model) else { return Vec::new() };
                let steps = i64::from(steps) % (MAX_BUCKETS as i64 + 3);
                let edge = |step| first.checked_add_signed(TimeDelta::microseconds(step * i64::from(micros)));
                (0..steps).filter_map(edge).collect()
            }
        }
    }
}

/// Whether a histogram takes the edges. They count in whole microseconds, rounded up.
fn are_edges(edges: &[DateTime<Utc>]) -> bool {
    let micros = |edge: DateTime<Utc>| {
        let edge = normal::instant(edge);
        let micros = edge.timestamp_micros() + i64::from(edge.timestamp_subsec_nanos() % 1_000 > 0);
        micros.min(DateTime::<Utc>::MAX_UTC.timestamp_micros())
    };
    (2..=MAX_BUCKETS + 1).contains(&edges.len()) && edges.windows(2).all(|pair| micros(pair[0]) <= micros(pair[1]))
}

#[derive(Debug, Arbitrary)]
struct Policy {
    now: Value<Time>,
    categories: Vec<(Value<Category>, Age)>,
    severities: Vec<(Severity, Age)>,
    max_age: Option<Age>,
    max_entries: Option<u16>,
    keep_at_least: u8,
}

#[derive(Debug, Arbitrary)]
enum Age {
    /// In microseconds, between the times of most entries.
    Near(u16),
    /// In seconds.
    Any(u64),
}

impl From<Age> for TimeDelta {
    fn from(age: Age) -> Self {
        match age {
            Age::Near(micros) => Self::microseconds(i64::from(micros) * 100),
            Age::Any(seconds) => Self::try_seconds(seconds.try_into().unwrap_or(i64::MAX)).unwrap_or(Self::MAX),
        }
    }
}

impl Policy {
    fn resolve(self, model: &Model) -> Retention {
        let categories = self
            .categories
            .into_iter()
            .filter_map(|(value, age)| Some((normal::text(category(value, model)?.as_str()), age.into())));
        Retention {
            now: time(Some(self.now), model).unwrap_or(DateTime::UNIX_EPOCH),
            categories: categories.collect(),
            severities: self.severities.into_iter().map(|(severity, age)| (severity.into(), age.into())).collect(),
            max_age: self.max_age.map(TimeDelta::from),
            max_entries: self.max_entries.map(usize::from),
            keep_at_least: self.keep_at_least.into(),
        }
    }
}

fn policy(rules: &Retention) -> RetentionPolicy {
    let mut policy = RetentionPolicy::new().keep_at_least(rules.keep_at_least as u64);
    for (category, age) in &rules.categories {
        policy = policy.category(category.as_str(), *age);
    }
    for (severity, age) in &rules.severities {
        policy = policy.severity(*severity, *age);
    }
    if let Some(age) = rules.max_age {
        policy = policy.max_age(age);
    }
    if let Some(entries) = rules.max_entries {
        policy = policy.max_entries(entries as u64);
    }
    policy
}

#[derive(Debug, Arbitrary)]
enum Cursor {
    Near(u8),
    Any(i64),
}

impl From<Cursor> for i64 {
    fn from(cursor: Cursor) -> Self {
        match cursor {
            Cursor::Near(seq) => seq.into(),
            Cursor::Any(seq) => seq,
        }
    }
}

/// More entries would only be slow.
const MAX_ENTRIES: usize = 3_000;
/// More entries than two batches of an export or a prune.
const MAX_SAME_ENTRIES: usize = 1_300;
const MAX_BYTES: usize = 1 << 19;

/// Checks the outcome of recording: the log and the model accept or refuse the same entries.
fn record(model: &mut Model, entries: &[NewActivityLogEntry], recorded: activity_log::Result<Option<i64>>) {
    match (recorded, model.record(entries)) {
        (Ok(seq), Ok(expected)) => assert_eq!(seq.unwrap_or(expected), expected),
        (Err(Error::InvalidEntry { index, field, .. }), Err(Refusal::Invalid(at, fields))) => {
            assert!(index == at && fields.contains(&field), "{field} of entry {index}, not {fields:?} of entry {at}");
        }
        (Err(Error::DuplicateId { index }), Err(Refusal::Duplicate(at))) => assert_eq!(index, at),
        (recorded, expected) => panic!("{recorded:?} instead of {expected:?}"),
    }
}

/// The answer, or `None` if the filters list too much and the log reports that.
fn taken<T>(filters: &ActivityLogFilters, answer: activity_log::Result<T>) -> Option<T> {
    if Passes::new(filters).check_limits(&answer) {
        return None;
    }
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => panic!("{error} for {filters:?}"),
    }
}

/// The filters' own test agrees with the model for every entry, or for some where the lists are long.
fn matches_agree(filters: &ActivityLogFilters, model: &Model) {
    let passes = Passes::new(filters);
    for entry in model.entries.iter().rev().take(200_000 / (passes.values() + 1)) {
        assert_eq!(filters.matches(entry), passes.all_of(entry), "{filters:?} {entry:?}");
    }
}

/// Checks the outcome of changing entries.
fn rewritten(changed: activity_log::Result<u64>, expected: Result<u64, i64>) {
    match (changed, expected) {
        (Ok(changed), Ok(expected)) => assert_eq!(changed, expected),
        (Err(Error::NotRewritten { seq, .. }), Err(expected)) => assert_eq!(seq, expected),
        (changed, expected) => panic!("{changed:?} instead of {expected:?}"),
    }
}

/// Takes numbers, as another program may that records and deletes.
fn skip(conn: &mut SqliteConnection, seq: i64) {
    let statement = format!(
        "INSERT INTO sqlite_sequence (name, seq) \
            SELECT 'activity_log', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'activity_log'); \
        UPDATE sqlite_sequence SET seq = {seq} WHERE name = 'activity_log'"
    );
    conn.batch_execute(&statement).expect("an update");
}

fn agree(model: &mut Model, conn: &mut SqliteConnection, operation: Operation) {
    if let Operation::RespellTimes = operation {
        conn.batch_execute("UPDATE activity_log SET ts = replace(ts, '.000000+00:00', '+00:00')").expect("an update");
        return;
    }
    if let Operation::Skip(numbers) = operation {
        model.last_seq += i64::from(numbers % 8_192);
        skip(conn, model.last_seq);
        return;
    }
    let mut log = unlimited(conn);
    match operation {
        Operation::Record(entry) => {
            let entry = NewActivityLogEntry::from(*entry);
            let recorded = log.record(&entry).map(Some);
            record(model, &[entry], recorded);
        }
        Operation::RecordAll(entries) => {
            let entries = entries.into_iter().map(NewActivityLogEntry::from).collect::<Vec<_>>();
            let recorded = log.record_all(&entries).map(|count| {
                assert_eq!(count, entries.len());
                None
            });
            record(model, &entries, recorded);
        }
        Operation::RecordMany(entry, count) => {
            let entry = NewActivityLogEntry::from(*entry);
            // Long entries get fewer copies, which bounds the total size.
            let size = serde_json::to_string(&entry).map_or(usize::MAX, |json| json.len());
            let most = MAX_BYTES / size;
            let room = MAX_ENTRIES.saturating_sub(model.entries.len());
            let count = if count % 64 == 7 { MAX_SAME_ENTRIES } else { usize::from(count % 8) };
            let entries = (0..count.min(most).min(room))
                .map(|number| entry.clone().id(format!("{} {number}", entry.id)))
                .collect::<Vec<_>>();
            let recorded = log.record_all(&entries).map(|_| None);
            record(model, &entries, recorded);
        }
        Operation::RespellTimes | Operation::Skip(_) => {}
        Operation::Query(filters, before_seq, limit) => {
            let (filters, before_seq) = (filters.resolve(model), before_seq.map(i64::from));
            let Some(entries) = taken(&filters, log.query(&filters, before_seq, limit)) else { return };
            let mut expected = model.before(&filters, before_seq);
            expected.truncate(limit as usize);
            assert_eq!(entries, expected, "{filters:?}");
        }
        Operation::Page(filters, before_seq, limit) => {
            let (filters, before_seq) = (filters.resolve(model), before_seq.map(i64::from));
            let Some(page) = taken(&filters, log.page(&filters, before_seq, limit)) else { return };
            assert_eq!(page, model.page(&filters, before_seq, limit), "{filters:?}");
        }
        Operation::PageAfter(filters, after_seq, limit) => {
            let (filters, after_seq) = (filters.resolve(model), i64::from(after_seq));
            let Some(page) = taken(&filters, log.page_after(&filters, after_seq, limit)) else { return };
            assert_eq!(page, model.page_after(&filters, after_seq, limit), "{filters:?}");
        }
        Operation::Get(id) => {
            let (id, entry) = match id {
                Value::Any(id) => {
                    let stored = normal::text(&id.0);
                    (id.0, model.entries.iter().find(|entry| entry.id == stored))
                }
                Value::Of(number) => {
                    let entry = of(model, number);
                    (entry.map(|entry| entry.id.clone()).unwrap_or_default(), entry)
                }
            };
            assert_eq!(log.get(&id).expect("a lookup").as_ref(), entry);
        }
        Operation::Walk(filters, limit) => {
            let filters = filters.resolve(model);
            let expected = model.before(&filters, None);
            // At most about 50 pages.
            let limit = u32::from(limit).max(1 + expected.len() as u32 / 50);
            let (mut walked, mut before_seq) = (Vec::new(), None);
            let mut page = loop {
                let Some(page) = taken(&filters, log.page(&filters, before_seq, limit)) else { return };
                assert!(before_seq.is_none() || !page.entries.is_empty(), "the last page is empty");
                walked.extend(page.entries.clone());
                before_seq = page.next_before_seq;
                if before_seq.is_none() {
                    break page;
                }
            };
            assert_eq!(walked, expected, "{filters:?}");
            walked = page.entries;
            while let Some(after_seq) = page.prev_after_seq {
                let Some(newer) = taken(&filters, log.page_after(&filters, after_seq, limit)) else { return };
                assert!(!newer.entries.is_empty(), "the newest page is empty");
                walked.splice(0..0, newer.entries);
                page.prev_after_seq = newer.prev_after_seq;
            }
            assert_eq!(walked, expected, "{filters:?}");
        }
        Operation::QueryAfter(filters, after_seq, limit) => {
            let (filters, after_seq) = (filters.resolve(model), i64::from(after_seq));
            let Some(entries) = taken(&filters, log.query_after(&filters, after_seq, limit)) else { return };
            let mut expected = model.matching(&filters);
            expected.retain(|entry| entry.seq > after_seq);
            expected.truncate(limit as usize);
            assert_eq!(entries, expected, "{filters:?}");
        }
        Operation::Count(filters) => {
            let filters = filters.resolve(model);
            matches_agree(&filters, model);
            let Some(count) = taken(&filters, log.count(&filters)) else { return };
            assert_eq!(count, model.matching(&filters).len() as u64, "{filters:?}");
        }
        Operation::CountUpTo(filters, limit) => {
            let (filters, limit) = (filters.resolve(model), u64::from(limit));
            let Some(count) = taken(&filters, log.count_up_to(&filters, limit)) else { return };
            assert_eq!(count, limit.min(model.matching(&filters).len() as u64), "{filters:?}");
        }
        Operation::Facets(filters, facet, limit) => {
            let (filters, facet) = (filters.resolve(model), Facet::from(facet));
            let limit = if limit == u8::MAX { u32::MAX } else { limit.into() };
            let Some(facets) = taken(&filters, log.facets(&filters, facet, limit)) else { return };
            assert_eq!(facets, model.facets(&filters, facet, limit), "{facet:?} {filters:?}");
        }
        Operation::Histogram(filters, edges) => {
            let (filters, edges) = (filters.resolve(model), edges.resolve(model));
            let histogram = log.histogram(&filters, &edges);
            if let Err(Error::InvalidFilter { field: "edges", .. }) = &histogram {
                assert!(!are_edges(&edges), "{edges:?}");
                return;
            }
            let Some(histogram) = taken(&filters, histogram) else { return };
            assert!(are_edges(&edges), "{edges:?}");
            assert_eq!(histogram, model.histogram(&filters, &edges), "{edges:?} {filters:?}");
        }
        Operation::Rewrite(filters, change, vacuum) => {
            let filters = filters.resolve(model);
            let log = if vacuum { &mut log } else { &mut log.without_vacuum() };
            let changed = log.rewrite(&filters, |entry| change.make(entry));
            if Passes::new(&filters).check_limits(&changed) {
                return;
            }
            rewritten(changed, model.rewrite(&filters, |entry| change.make(entry)));
        }
        Operation::EraseActor(actor, replacement, vacuum) => {
            let Some(actor) = text(actor, model, actor_of) else { return };
            let log = if vacuum { &mut log } else { &mut log.without_vacuum() };
            let changed = log.erase_actor(&actor, &replacement.0);
            if actor.is_empty() || replacement.0.is_empty() {
                assert!(matches!(changed, Err(Error::InvalidFilter { field: "actor", .. })), "{changed:?}");
                return;
            }
            let filters = ActivityLogFilters { actor: Some(actor.clone()), ..ActivityLogFilters::default() };
            rewritten(changed, model.rewrite(&filters, |entry| erase(&actor, &replacement.0, entry)));
        }
        Operation::Export(filters) => {
            let filters = filters.resolve(model);
            let Some(export) = taken(&filters, log.iter_export(&filters)) else { return };
            let exported = export.collect::<activity_log::Result<Vec<_>>>().expect("every row is read");
            assert_eq!(exported, model.matching(&filters), "{filters:?}");
        }
        Operation::Prune(before_ts, max_entries) => {
            let (before_ts, max_entries) = (time(before_ts, model), max_entries.map(u64::from));
            let deleted = log.prune(before_ts, max_entries).expect("a prune");
            assert_eq!(deleted, model.prune(before_ts, max_entries), "{before_ts:?} {max_entries:?}");
        }
        Operation::PruneBeyond(max_entries) => {
            assert_eq!(log.prune(None, Some(max_entries)).expect("a prune"), model.prune(None, Some(max_entries)));
        }
        Operation::Retain(rules) => {
            let rules = rules.resolve(model);
            let never = AtomicBool::new(false);
            let report = log.apply_retention(&policy(&rules), rules.now, &never).expect("a retention run");
            assert_eq!(report.deleted, model.retain(&rules), "{rules:?}");
        }
        Operation::Clear => assert_eq!(log.clear().expect("a clear"), model.clear()),
    }
}

fn step(model: &mut Model, conn: &mut SqliteConnection, step: Step) {
    match step {
        Step::Operation(operation) => agree(model, conn, operation),
        Step::Transaction(operations, committed) => {
            let before = model.clone();
            let ended = conn.transaction(|conn| {
                for operation in operations {
                    agree(model, conn, operation);
                }
                if committed { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
            });
            assert_eq!(ended.is_ok(), committed, "{ended:?}");
            if !committed {
                *model = before;
            }
        }
    }
}

thread_local! {
    // Created only once, because this takes longer than most sequences.
    static LOG: RefCell<SqliteConnection> = RefCell::new({
        let mut conn = activity_log::connect(":memory:").expect("a database in memory opens");
        activity_log::run_migrations(&mut conn).expect("the table is created");
        conn
    });
}

/// The numbers begin again, so no segment may be left.
const EMPTY: &str = "DELETE FROM activity_log; DELETE FROM sqlite_sequence; DELETE FROM activity_log_segments; \
    DELETE FROM activity_log_segment_rollups";

fuzz_target!(|steps: Vec<Step>| {
    LOG.with_borrow_mut(|conn| {
        conn.batch_execute(EMPTY).expect("the log is emptied");
        let mut model = Model::default();
        for each in steps {
            step(&mut model, conn, each);
        }
        agree(&mut model, conn, Operation::Export(Filters::default()));
    });
});
