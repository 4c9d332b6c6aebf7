//! Any sequence of operations, with any filters, gives the same answers as a plain list.

#![no_main]

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;

use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivityLogFilters, ActivitySeverity, Error, NewActivityLogEntry,
    RetentionPolicy,
};
use activity_log_fuzz::input::{Category, Entry, Severity, Text, Time};
use activity_log_fuzz::model::{Model, Refusal, Retention};
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
    Query(Filters, Option<Cursor>, u32),
    Page(Filters, Option<Cursor>, u32),
    /// All pages to the oldest, and back to the newest.
    Walk(Filters, u8),
    QueryAfter(Filters, Cursor, u32),
    PageAfter(Filters, Cursor, u32),
    Get(Value<Text>),
    Count(Filters),
    Export(Filters),
    Prune(Option<Value<Time>>, Option<u16>),
    PruneBeyond(u64),
    Retain(Policy),
    Clear,
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
        let of = |number: u8| model.entries.get(usize::from(number) % model.entries.len().max(1));
        let categories = self.categories.into_iter().filter_map(|(category, age)| {
            let category = match category {
                Value::Any(category) => category.into(),
                Value::Of(number) => of(number)?.category.clone(),
            };
            Some((normal::text(category.as_str()), age.into()))
        });
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

/// A new value, or the value of an entry in the log.
#[derive(Debug, Arbitrary)]
enum Value<T> {
    Any(T),
    Of(u8),
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

#[derive(Debug, Arbitrary)]
struct Filters {
    categories: Vec<Value<Category>>,
    severities: Vec<Severity>,
    actor: Option<Value<Text>>,
    entity_type: Option<Value<Text>>,
    entity_id: Option<Value<Text>>,
    since: Option<Value<Time>>,
    until: Option<Value<Time>>,
    message_contains: Option<Term>,
    /// Two of the numbers stand for about as many extra categories as SQLite accepts. They are unlike all ones, which a
    /// fuzzer often tries by itself, because long lists are slow.
    more_categories: u16,
}

#[derive(Debug, Arbitrary)]
enum Term {
    Any(Text),
    /// A part of an entry's message, unchanged or in upper case.
    Part {
        of: u8,
        skip: u8,
        take: u8,
        upper: bool,
    },
}

impl Filters {
    fn resolve(self, model: &Model) -> ActivityLogFilters {
        let of = |number: u8| model.entries.get(usize::from(number) % model.entries.len().max(1));
        let text = |value: Option<Value<Text>>, field: fn(&ActivityLogEntry) -> Option<String>| match value? {
            Value::Any(text) => Some(text.0),
            Value::Of(number) => of(number).and_then(field),
        };
        let time = |value: Option<Value<Time>>| time(value, model);
        let more = match self.more_categories {
            0xA5C3 => 32_001,
            0xA5C4 => 31_990,
            _ => 0,
        };
        ActivityLogFilters {
            categories: self
                .categories
                .into_iter()
                .filter_map(|value| match value {
                    Value::Any(category) => Some(category.into()),
                    Value::Of(number) => of(number).map(|entry| entry.category.clone()),
                })
                .chain((0..more).map(|number| ActivityCategory::Other(format!("category {number}"))))
                .collect(),
            severities: self.severities.into_iter().map(ActivitySeverity::from).collect(),
            actor: text(self.actor, |entry| Some(entry.actor.clone())),
            entity_type: text(self.entity_type, |entry| entry.entity_type.clone()),
            entity_id: text(self.entity_id, |entry| entry.entity_id.clone()),
            since: time(self.since),
            until: time(self.until),
            message_contains: self.message_contains.and_then(|term| match term {
                Term::Any(text) => Some(text.0),
                Term::Part { of: number, skip, take, upper } => of(number).map(|entry| {
                    let part = entry.message.chars().skip(skip.into()).take(take.into()).collect::<String>();
                    if upper { part.to_ascii_uppercase() } else { part }
                }),
            }),
        }
    }
}

fn time(value: Option<Value<Time>>, model: &Model) -> Option<DateTime<Utc>> {
    match value? {
        Value::Any(time) => Some(time.0),
        // Exactly the time, or slightly less or more than a microsecond away from it.
        Value::Of(number) => {
            let entry = model.entries.get(usize::from(number) % model.entries.len().max(1))?;
            entry.ts.checked_add_signed(TimeDelta::nanoseconds([0, 1, -1, 1_001, -1_001][usize::from(number) % 5]))
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
    let too_long = filters.categories.len() > 32_000
        && filters.categories.iter().collect::<std::collections::HashSet<_>>().len() > 32_000;
    match answer {
        Ok(answer) if !too_long => Some(answer),
        Err(Error::InvalidFilter { field: "categories", .. }) if too_long => None,
        answer => panic!("{:?} for {} categories", answer.map(drop), filters.categories.len()),
    }
}

fn agree(model: &mut Model, conn: &mut SqliteConnection, operation: Operation) {
    if let Operation::RespellTimes = operation {
        conn.batch_execute("UPDATE activity_log SET ts = replace(ts, '.000000+00:00', '+00:00')").expect("an update");
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
        Operation::RespellTimes => {}
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
                    let entry = model.entries.get(usize::from(number) % model.entries.len().max(1));
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
            let Some(count) = taken(&filters, log.count(&filters)) else { return };
            assert_eq!(count, model.matching(&filters).len() as u64, "{filters:?}");
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

fuzz_target!(|steps: Vec<Step>| {
    LOG.with_borrow_mut(|conn| {
        conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence").expect("the log is emptied");
        let mut model = Model::default();
        for each in steps {
            step(&mut model, conn, each);
        }
        agree(&mut model, conn, Operation::Export(Filters::none()));
    });
});

impl Filters {
    fn none() -> Self {
        Self {
            categories: Vec::new(),
            severities: Vec::new(),
            actor: None,
            entity_type: None,
            entity_id: None,
            since: None,
            until: None,
            message_contains: None,
            more_categories: 0,
        }
    }
}
