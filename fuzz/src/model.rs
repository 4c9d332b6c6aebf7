//! The log as a plain list.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use activity_log::{
    ActivityLogEntry, ActivityLogFilters, ActivityLogPage, ActivitySeverity, Facet, FacetValue, Facets,
    NewActivityLogEntry, SeverityCounts,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::normal;
use crate::passes::Passes;

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
    pub last_seq: i64,
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

    /// The most frequent values of a facet.
    pub fn facets(&self, filters: &ActivityLogFilters, facet: Facet, limit: u32) -> Facets {
        let mut values = BTreeMap::<String, u64>::new();
        for entry in self.matching(filters) {
            let value = match facet {
                Facet::Category => entry.category.as_str(),
                Facet::Severity => entry.severity.as_str(),
                Facet::Action => &entry.action,
                Facet::Actor => &entry.actor,
                Facet::EntityType => match entry.entity_type.as_deref() {
                    None | Some("") => continue,
                    Some(entity_type) => entity_type,
                },
            };
            *values.entry(value.to_owned()).or_default() += 1;
        }
        let mut values = values.into_iter().map(|(value, entries)| FacetValue { value, entries }).collect::<Vec<_>>();
        // A stable sort: equally frequent ones stay in the order of their texts.
        values.sort_by_key(|value| Reverse(value.entries));
        let more = values.len() > limit as usize;
        values.truncate(limit as usize);
        Facets { values, more }
    }

    /// How many entries are at or after each edge and before the next one.
    pub fn histogram(&self, filters: &ActivityLogFilters, edges: &[DateTime<Utc>]) -> Vec<SeverityCounts> {
        let edges = edges.iter().copied().map(normal::instant).collect::<Vec<_>>();
        let mut histogram = vec![SeverityCounts::default(); edges.len().saturating_sub(1)];
        for entry in self.matching(filters) {
            let passed = edges.iter().filter(|edge| entry.ts >= **edge).count();
            let Some(counts) = passed.checked_sub(1).and_then(|bucket| histogram.get_mut(bucket)) else { continue };
            match entry.severity {
                ActivitySeverity::Info => counts.info += 1,
                ActivitySeverity::Warning => counts.warning += 1,
                ActivitySeverity::Error => counts.error += 1,
            }
        }
        histogram
    }

    /// Changes the matching entries, all but their `seq`, id and time. Returns how many, or the `seq` of the first one that
    /// cannot be stored, which stays as it is.
    pub fn rewrite(
        &mut self,
        filters: &ActivityLogFilters,
        mut change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64, i64> {
        let passes = Passes::new(filters);
        let (mut rewritten, mut failure) = (0, None);
        for entry in self.entries.iter_mut().filter(|entry| passes.all_of(entry)) {
            let before = normal::written_again(entry);
            let mut after = before.clone();
            change(&mut after);
            (after.id, after.ts) = (before.id.clone(), before.ts);
            if after == before {
                continue;
            }
            if normal::refused(&after).is_empty() {
                *entry = normal::entry(&after, entry.seq);
                rewritten += 1;
            } else {
                failure = failure.or(Some(entry.seq));
            }
        }
        failure.map_or(Ok(rewritten), Err)
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
