//! The log as a plain list.

use std::collections::BTreeMap;

use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogPage, ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};

use crate::normal;

/// The reason why an entry is refused, and the index of the entry.
#[derive(Debug)]
pub enum Refusal {
    /// The log cannot store these fields.
    Invalid(usize, Vec<&'static str>),
    /// Another entry already has the id.
    Duplicate(usize),
}

/// Every entry, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub entries: Vec<ActivityLogEntry>,
    last_seq: i64,
}

impl Model {
    /// Records all entries or none, and returns the last `seq`. SQLite leaves no gaps: refused and rolled-back entries
    /// use up no number.
    pub fn record(&mut self, entries: &[NewActivityLogEntry]) -> Result<i64, Refusal> {
        let (length, last_seq) = (self.entries.len(), self.last_seq);
        for (index, entry) in entries.iter().enumerate() {
            if let Err(refusal) = self.record_one(entry, index) {
                self.entries.truncate(length);
                self.last_seq = last_seq;
                return Err(refusal);
            }
        }
        Ok(self.last_seq)
    }

    fn record_one(&mut self, entry: &NewActivityLogEntry, index: usize) -> Result<(), Refusal> {
        let refused = normal::refused(entry);
        if !refused.is_empty() {
            return Err(Refusal::Invalid(index, refused));
        }
        let entry = normal::entry(entry, self.last_seq + 1);
        if self.entries.iter().any(|other| other.id == entry.id) {
            return Err(Refusal::Duplicate(index));
        }
        self.last_seq = entry.seq;
        self.entries.push(entry);
        Ok(())
    }

    /// The matching entries, oldest first.
    pub fn matching(&self, filters: &ActivityLogFilters) -> Vec<ActivityLogEntry> {
        let passes = Passes::new(filters);
        self.entries.iter().filter(|entry| passes.all_of(entry)).cloned().collect()
    }

    /// The matching entries before a cursor, newest first.
    pub fn before(&self, filters: &ActivityLogFilters, before_seq: Option<i64>) -> Vec<ActivityLogEntry> {
        let mut matching = self.matching(filters);
        matching.retain(|entry| before_seq.is_none_or(|before_seq| entry.seq < before_seq));
        matching.reverse();
        matching
    }

    /// The page of the newest matching entries before a cursor.
    pub fn page(&self, filters: &ActivityLogFilters, before_seq: Option<i64>, limit: u32) -> ActivityLogPage {
        let mut entries = self.before(filters, before_seq);
        entries.truncate(limit as usize);
        let after_seq = before_seq.map(|before_seq| before_seq.saturating_sub(1));
        self.around(filters, entries, after_seq, before_seq, limit)
    }

    /// The page of the oldest matching entries after a cursor.
    pub fn page_after(&self, filters: &ActivityLogFilters, after_seq: i64, limit: u32) -> ActivityLogPage {
        let mut entries = self.matching(filters);
        entries.retain(|entry| entry.seq > after_seq);
        entries.truncate(limit as usize);
        entries.reverse();
        self.around(filters, entries, Some(after_seq), Some(after_seq.saturating_add(1)), limit)
    }

    /// A page with its cursors: the first and the last `seq` of its entries, or of an empty page these two, if an entry
    /// matches beyond.
    fn around(
        &self,
        filters: &ActivityLogFilters,
        entries: Vec<ActivityLogEntry>,
        after_seq: Option<i64>,
        before_seq: Option<i64>,
        limit: u32,
    ) -> ActivityLogPage {
        if limit == 0 {
            return ActivityLogPage::default();
        }
        let matching = self.matching(filters);
        let after_seq = entries.first().map(|newest| newest.seq).or(after_seq);
        let before_seq = entries.last().map(|oldest| oldest.seq).or(before_seq);
        ActivityLogPage {
            prev_after_seq: after_seq.filter(|after| matching.iter().any(|entry| entry.seq > *after)),
            next_before_seq: before_seq.filter(|before| matching.iter().any(|entry| entry.seq < *before)),
            entries,
        }
    }

    /// Returns the number of deleted entries.
    pub fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> u64 {
        let length = self.entries.len();
        if let Some(before_ts) = before_ts.map(normal::instant) {
            self.entries.retain(|entry| entry.ts >= before_ts);
        }
        if let Some(max_entries) = max_entries {
            let kept = usize::try_from(max_entries).unwrap_or(usize::MAX);
            self.entries.drain(..self.entries.len().saturating_sub(kept));
        }
        (length - self.entries.len()) as u64
    }

    /// Deletes what a retention policy makes due, and returns the number of deleted entries.
    pub fn retain(&mut self, rules: &Retention) -> u64 {
        let length = self.entries.len();
        let kept = self.entries.split_off(length.saturating_sub(rules.keep_at_least));
        self.entries.retain(|entry| {
            let of_category = rules.categories.iter().filter(|(category, _)| *category == entry.category.as_str());
            let of_severity = rules.severities.iter().filter(|(severity, _)| **severity == entry.severity);
            let longest = of_category.map(|(_, age)| age).chain(of_severity.map(|(_, age)| age)).max();
            let Some(age) = longest.or(rules.max_age.as_ref()) else { return true };
            rules.now.checked_sub_signed(*age).is_none_or(|cutoff| entry.ts >= normal::instant(cutoff))
        });
        if let Some(most) = rules.max_entries {
            let excess = (self.entries.len() + kept.len()).saturating_sub(most);
            self.entries.drain(..excess.min(self.entries.len()));
        }
        self.entries.extend(kept);
        (length - self.entries.len()) as u64
    }

    /// Returns the number of deleted entries.
    pub fn clear(&mut self) -> u64 {
        std::mem::take(&mut self.entries).len() as u64
    }
}

/// A retention policy, and the time at which it is applied. Each category and each severity has at most one age.
#[derive(Debug)]
pub struct Retention {
    pub now: DateTime<Utc>,
    pub categories: BTreeMap<String, TimeDelta>,
    pub severities: BTreeMap<ActivitySeverity, TimeDelta>,
    pub max_age: Option<TimeDelta>,
    pub max_entries: Option<usize>,
    pub keep_at_least: usize,
}

/// Filters with their texts and times in the form in which they are compared.
struct Passes {
    categories: Vec<String>,
    filters: ActivityLogFilters,
}

impl Passes {
    fn new(filters: &ActivityLogFilters) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(normal::text);
        Self {
            categories: filters.categories.iter().map(|category| normal::text(category.as_str())).collect(),
            filters: ActivityLogFilters {
                categories: Vec::new(),
                severities: filters.severities.clone(),
                actor: text(&filters.actor),
                entity_type: text(&filters.entity_type),
                entity_id: text(&filters.entity_id),
                since: filters.since.map(normal::instant),
                until: filters.until.map(normal::instant),
                message_contains: text(&filters.message_contains).map(|term| term.to_ascii_lowercase()),
            },
        }
    }

    fn all_of(&self, entry: &ActivityLogEntry) -> bool {
        let Self { categories, filters } = self;
        let is = |asked: &Option<String>, value: Option<&str>| asked.is_none() || asked.as_deref() == value;
        (categories.is_empty() || categories.iter().any(|category| category == entry.category.as_str()))
            && (filters.severities.is_empty() || filters.severities.contains(&entry.severity))
            && is(&filters.actor, Some(&entry.actor))
            && is(&filters.entity_type, entry.entity_type.as_deref())
            && is(&filters.entity_id, entry.entity_id.as_deref())
            && filters.since.is_none_or(|since| entry.ts >= since)
            && filters.until.is_none_or(|until| entry.ts <= until)
            && filters.message_contains.as_ref().is_none_or(|term| entry.message.to_ascii_lowercase().contains(term))
    }
}
