//! The log as a plain list.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use activity_log::{
    ActivityLogEntry, ActivityLogFilters, ActivityLogPage, ActivitySeverity, Facet, FacetValue, Facets,
    NewActivityLogEntry, SeverityCounts,
};
use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Timelike, Utc};
use serde_json::Value;

use crate::behaviour::model::answer::{Answer, Refusal};
use crate::behaviour::model::erase::Erasing;
use crate::behaviour::model::operation::Operation;
use crate::behaviour::model::passes::Passes;
use crate::support::{TestResult, read_back};

/// The entries, oldest first. The `seq` of each is its position among all that were ever recorded.
#[derive(Default)]
pub(crate) struct List {
    entries: Vec<ActivityLogEntry>,
    recorded: i64,
}

impl List {
    /// What a log answers to an operation.
    pub(crate) fn answer(&mut self, operation: &Operation) -> TestResult<Answer> {
        Ok(match self.attempt(operation)? {
            Ok(answer) => answer,
            Err(refusal) => Answer::Refused(refusal),
        })
    }

    fn attempt(&mut self, operation: &Operation) -> TestResult<Result<Answer, Refusal>> {
        Ok(match operation {
            Operation::Record(entry) => self.record(std::slice::from_ref(entry)),
            Operation::RecordAll(entries) => self.record(entries),
            Operation::Query(filters, before, limit) => self.matching(filters).map(|entries| {
                let older = entries.into_iter().rev().filter(|entry| before.is_none_or(|before| entry.seq < before));
                Answer::Entries(older.take(*limit as usize).cloned().collect())
            }),
            Operation::QueryAfter(filters, after, limit) => self.matching(filters).map(|entries| {
                let newer = entries.into_iter().filter(|entry| entry.seq > *after);
                Answer::Entries(newer.take(*limit as usize).cloned().collect())
            }),
            Operation::Page(filters, before, limit, bytes) => self.matching(filters).map(|entries| {
                let older = entries.iter().rev().filter(|entry| before.is_none_or(|before| entry.seq < before));
                let page = first(older.copied(), *limit, *bytes);
                self.around(&entries, page, before.map(|before| before.saturating_sub(1)), *before, *limit)
            }),
            Operation::PageAfter(filters, after, limit, bytes) => self.matching(filters).map(|entries| {
                let newer = entries.iter().filter(|entry| entry.seq > *after);
                let mut page = first(newer.copied(), *limit, *bytes);
                page.reverse();
                self.around(&entries, page, Some(*after), Some(after.saturating_add(1)), *limit)
            }),
            Operation::Get(Err(id)) => {
                let id = stored_text(id);
                Ok(Answer::Entries(self.entries.iter().filter(|entry| entry.id == id).cloned().collect()))
            }
            Operation::Get(Ok(position)) => {
                let next = self.entries.iter().find(|entry| entry.seq > *position as i64);
                Ok(Answer::Entries(next.into_iter().cloned().collect()))
            }
            Operation::NewestSeq => Ok(Answer::Seq(self.entries.last().map(|entry| entry.seq))),
            Operation::Count(filters) => self.matching(filters).map(|entries| Answer::Number(entries.len() as u64)),
            Operation::CountUpTo(filters, limit) => {
                self.matching(filters).map(|entries| Answer::Number((entries.len() as u64).min(*limit)))
            }
            Operation::Facets(filters, facet, limit) => {
                self.matching(filters).map(|entries| Answer::Facets(frequencies(&entries, *facet, *limit as usize)))
            }
            Operation::Histogram(filters, edges) => {
                self.matching(filters).and_then(|entries| histogram(&entries, edges)).map(Answer::Histogram)
            }
            Operation::Export(filters) => match self.matching(filters) {
                Ok(entries) => Ok(Answer::files(&entries.into_iter().cloned().collect::<Vec<_>>())?),
                Err(refusal) => Err(refusal),
            },
            Operation::Prune(before_ts, max_entries) => Ok(self.delete(|entries| {
                let before_ts = before_ts.map(instant);
                entries.retain(|entry| before_ts.is_none_or(|before_ts| entry.ts >= before_ts));
                let most = max_entries.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
                entries.drain(..entries.len().saturating_sub(most));
            })),
            Operation::Retain(rules, now) => Ok(self.delete(|entries| *entries = rules.apply(entries, *now))),
            Operation::Rewrite(filters, change) => self.rewrite(filters, |entry| change.make(entry)),
            Operation::EraseActor(actor, by) => {
                if [actor, by].iter().any(|text| text.is_empty()) {
                    return Ok(Err(Refusal::Filter { field: "actor" }));
                }
                let filters = ActivityLogFilters { actor: Some(actor.clone()), ..ActivityLogFilters::default() };
                self.erase(&filters, std::slice::from_ref(actor), by)
            }
            Operation::EraseTexts(texts, by) => {
                if texts.is_empty() || texts.iter().any(String::is_empty) {
                    return Ok(Err(Refusal::Filter { field: "texts" }));
                }
                self.erase(&ActivityLogFilters::default(), texts, by)
            }
            Operation::Clear => Ok(self.delete(Vec::clear)),
        })
    }

    /// Adds an entry that another program wrote.
    pub(crate) fn push(&mut self, entry: NewActivityLogEntry) {
        self.recorded += 1;
        self.entries.push(read_back(entry, self.recorded));
    }

    /// All entries or none.
    fn record(&mut self, entries: &[NewActivityLogEntry]) -> Result<Answer, Refusal> {
        let mut ids = self.entries.iter().map(|entry| entry.id.clone()).collect::<BTreeSet<_>>();
        for (index, entry) in entries.iter().enumerate() {
            if let Some(field) = refused_field(entry, true) {
                return Err(Refusal::Entry { index, field });
            }
            if !ids.insert(stored_text(&entry.id)) {
                return Err(Refusal::DuplicateId { index });
            }
        }
        entries.iter().for_each(|entry| self.push(stored(entry)));
        Ok(Answer::Recorded(self.recorded))
    }

    /// The matching entries, oldest first.
    fn matching(&self, filters: &ActivityLogFilters) -> Result<Vec<&ActivityLogEntry>, Refusal> {
        let passes = Passes::new(filters)?;
        assert!(self.entries.iter().all(|entry| passes.all_of(entry) == filters.matches(entry)), "{filters:?}");
        Ok(self.entries.iter().filter(|entry| passes.all_of(entry)).collect())
    }

    /// A page with its cursors: the first and the last position of its entries, or of an empty page these two, if an
    /// entry matches beyond.
    fn around(
        &self,
        matching: &[&ActivityLogEntry],
        entries: Vec<ActivityLogEntry>,
        after: Option<i64>,
        before: Option<i64>,
        limit: u32,
    ) -> Answer {
        if limit == 0 {
            return Answer::Page(ActivityLogPage::default());
        }
        let after = entries.first().map(|newest| newest.seq).or(after);
        let before = entries.last().map(|oldest| oldest.seq).or(before);
        let newer = after.filter(|after| matching.iter().any(|entry| entry.seq > *after));
        let older = before.filter(|before| matching.iter().any(|entry| entry.seq < *before));
        Answer::Page(ActivityLogPage {
            prev_after_seq: newer.map(|after| after.clamp(0, self.recorded)),
            next_before_seq: older.map(|before| before.clamp(1, self.recorded + 1)),
            entries,
        })
    }

    fn delete(&mut self, delete: impl FnOnce(&mut Vec<ActivityLogEntry>)) -> Answer {
        let before = self.entries.len();
        delete(&mut self.entries);
        Answer::Number((before - self.entries.len()) as u64)
    }

    /// Changes all but the `seq`, id and time of the matching entries.
    fn rewrite(
        &mut self,
        filters: &ActivityLogFilters,
        mut change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<Answer, Refusal> {
        let passes = Passes::new(filters)?;
        let (mut rewritten, mut refused) = (0, None);
        for entry in self.entries.iter_mut().filter(|entry| passes.all_of(entry)) {
            let before = NewActivityLogEntry::from(entry.clone());
            let mut after = before.clone();
            change(&mut after);
            if after == before {
                continue;
            }
            if refused_field(&after, false).is_some() {
                refused = refused.or(Some(entry.seq));
                continue;
            }
            *entry = read_back(stored(&after), entry.seq);
            rewritten += 1;
        }
        refused.map_or(Ok(Answer::Number(rewritten)), |position| Err(Refusal::NotRewritten { position }))
    }

    fn erase(&mut self, filters: &ActivityLogFilters, names: &[String], by: &str) -> Result<Answer, Refusal> {
        let mut names = names.iter().map(|name| stored_text(name)).collect::<Vec<_>>();
        names.sort_by_key(|name| Reverse(name.len()));
        let erasing = Erasing { names, by };
        self.rewrite(filters, |entry| erasing.make(entry))
    }
}

/// The text that is read back.
pub(super) fn stored_text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// The time as filters compare it: a leap second is the last microsecond of its second.
pub(super) fn instant(ts: DateTime<Utc>) -> DateTime<Utc> {
    if ts.nanosecond() < 1_000_000_000 { ts } else { ts.with_nanosecond(999_999_000).unwrap_or(ts) }
}

/// The entry that is read back.
fn stored(entry: &NewActivityLogEntry) -> NewActivityLogEntry {
    let optional = |text: &Option<String>| text.as_deref().map(stored_text);
    NewActivityLogEntry {
        id: stored_text(&entry.id),
        ts: instant(entry.ts).trunc_subsecs(6),
        category: stored_text(entry.category.as_str()).into(),
        action: stored_text(&entry.action),
        severity: entry.severity,
        actor: stored_text(&entry.actor),
        entity_type: optional(&entry.entity_type),
        entity_id: optional(&entry.entity_id),
        entity_name: optional(&entry.entity_name),
        message: stored_text(&entry.message),
        metadata: entry.metadata.clone(),
    }
}

/// The first field that cannot be stored, within the default limits or without any.
fn refused_field(entry: &NewActivityLogEntry, is_limited: bool) -> Option<&'static str> {
    let levels = 1 + entry.metadata.values().map(levels).max().unwrap_or(0);
    let too_long = |text: &str, most: usize| is_limited && stored_text(text).len() > most;
    let fields = [
        ("ts", !(1..=9999).contains(&entry.ts.year())),
        ("metadata", levels > 127),
        ("id", too_long(&entry.id, 256)),
        ("category", too_long(entry.category.as_str(), 256)),
        ("action", too_long(&entry.action, 256)),
        ("actor", too_long(&entry.actor, 1_024)),
        ("entity_id", too_long(entry.entity_id.as_deref().unwrap_or_default(), 1_024)),
        ("message", too_long(&entry.message, 64 << 10)),
    ];
    fields.into_iter().find(|(_, is_refused)| *is_refused).map(|(field, _)| field)
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// The first entries up to a number of entries, and through the one with which they have so many bytes of text.
fn first<'a>(entries: impl Iterator<Item = &'a ActivityLogEntry>, limit: u32, bytes: usize) -> Vec<ActivityLogEntry> {
    let mut held = 0;
    let mut page = Vec::new();
    for entry in entries.take(limit as usize) {
        let optional = [&entry.entity_type, &entry.entity_id, &entry.entity_name];
        let texts = [entry.id.as_str(), entry.category.as_str(), &entry.action, &entry.actor, &entry.message];
        let metadata = serde_json::to_string(&entry.metadata).unwrap_or_default();
        held += optional.into_iter().flatten().map(String::len).sum::<usize>() + metadata.len();
        held += texts.iter().map(|text| text.len()).sum::<usize>();
        page.push(entry.clone());
        if held >= bytes {
            break;
        }
    }
    page
}

fn frequencies(entries: &[&ActivityLogEntry], facet: Facet, limit: usize) -> Facets {
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

fn histogram(entries: &[&ActivityLogEntry], edges: &[DateTime<Utc>]) -> Result<Vec<SeverityCounts>, Refusal> {
    // The first whole microsecond at or after an edge.
    let edges = edges.iter().map(|edge| {
        let below = instant(*edge).trunc_subsecs(6);
        if below < instant(*edge) {
            below.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(below)
        } else {
            below
        }
    });
    let edges = edges.collect::<Vec<_>>();
    if edges.len() < 2 || !edges.is_sorted() {
        return Err(Refusal::Filter { field: "edges" });
    }
    let mut histogram = vec![SeverityCounts::default(); edges.len() - 1];
    for entry in entries {
        let passed = edges.iter().filter(|edge| entry.ts >= **edge).count();
        let Some(counts) = passed.checked_sub(1).and_then(|bucket| histogram.get_mut(bucket)) else { continue };
        match entry.severity {
            ActivitySeverity::Info => counts.info += 1,
            ActivitySeverity::Warning => counts.warning += 1,
            ActivitySeverity::Error => counts.error += 1,
        }
    }
    Ok(histogram)
}
