use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::encoding::storable_text;
use crate::model::instant;
use crate::model::normalized_filters::{MAX_LIST_VALUES, NormalizedFilters};
use crate::model::retention_rule::RetentionRule;
use crate::model::severity::ActivitySeverity;

/// How long entries are kept, and how many.
///
/// An empty policy deletes nothing. Each method adds a rule, or replaces the one that it added before.
///
/// ```
/// use activity_log::{ActivityCategory, ActivitySeverity, RetentionPolicy};
/// use chrono::TimeDelta;
///
/// let policy = RetentionPolicy::new()
///     .category(ActivityCategory::Auth, TimeDelta::days(730))
///     .severity(ActivitySeverity::Info, TimeDelta::days(30))
///     .max_age(TimeDelta::days(365))
///     .max_entries(1_000_000)
///     .keep_at_least(10_000);
/// ```
///
/// - **By age.** An entry whose category or severity has a rule is kept as long as the longest of these rules says:
///   here an `auth` entry stays two years even if it is `info`. All other entries are kept for
///   [`max_age`](Self::max_age), or forever without one. An entry that is exactly as old as its rule allows stays.
/// - **By size.** Of what is left, the oldest entries by `seq` beyond [`max_entries`](Self::max_entries) and then
///   beyond [`max_bytes`](Self::max_bytes) are deleted, whatever the other rules say.
/// - The newest [`keep_at_least`](Self::keep_at_least) entries stay, whatever the clock and the rules say.
///
/// An entry's age is measured from its `ts`. An age that reaches back beyond the first storable year deletes nothing.
/// When the policy is applied, [`Error::InvalidPolicy`] refuses a negative age, which would delete entries from the
/// future, and more than 32,000 categories.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetentionPolicy {
    /// By the stored text.
    categories: BTreeMap<String, TimeDelta>,
    severities: BTreeMap<ActivitySeverity, TimeDelta>,
    max_age: Option<TimeDelta>,
    max_entries: Option<u64>,
    max_bytes: Option<u64>,
    pub(crate) keep_at_least: u64,
}

/// The entries that are due by one rule.
#[derive(Debug, PartialEq)]
pub(crate) enum Due {
    /// The entries that match.
    ByAge(Box<NormalizedFilters>),
    /// All but this many of the newest entries.
    BeyondEntries(u64),
    /// All but the newest entries that together have at most this many bytes.
    BeyondBytes(u64),
}

impl RetentionPolicy {
    /// A policy that deletes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Deletes entries older than this, unless their category or severity has a rule of its own.
    #[must_use]
    pub fn max_age(mut self, age: TimeDelta) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Deletes entries of this category older than this.
    #[must_use]
    pub fn category(mut self, category: impl Into<ActivityCategory>, age: TimeDelta) -> Self {
        self.categories.insert(storable_text(category.into().as_str()).into_owned(), age);
        self
    }

    /// Deletes entries of this severity older than this.
    #[must_use]
    pub fn severity(mut self, severity: ActivitySeverity, age: TimeDelta) -> Self {
        self.severities.insert(severity, age);
        self
    }

    /// Deletes all but this many of the newest entries.
    #[must_use]
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = Some(entries);
        self
    }

    /// Deletes all but the newest entries whose stored texts have at most this many bytes together, times and
    /// severities included.
    ///
    /// The database takes more than that, for its indexes and for pages that are not full. To measure the entries that
    /// stay, each run reads them.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Always keeps this many of the newest entries by `seq`.
    ///
    /// A clock that is far ahead makes every entry old: with a `max_age` of a year, a clock 400 days ahead empties a
    /// log whose policy does not keep some.
    #[must_use]
    pub fn keep_at_least(mut self, entries: u64) -> Self {
        self.keep_at_least = entries;
        self
    }

    /// What is due at this moment, in the order of deletion. No entry is due under two rules by age.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPolicy`].
    pub(crate) fn due(&self, now: DateTime<Utc>) -> Result<Vec<(RetentionRule, Due)>> {
        if self.categories.len() > MAX_LIST_VALUES {
            let reason =
                format!("names {} categories, and at most {MAX_LIST_VALUES} are allowed", self.categories.len());
            return Err(Error::InvalidPolicy { rule: "category", reason });
        }
        let mut due = Vec::new();
        for (category, age) in &self.categories {
            let outlasted_by = self.severities.iter().filter(|(_, other)| *other > age);
            let filters = NormalizedFilters {
                categories: vec![category.clone()],
                excluded_severities: outlasted_by.map(|(severity, _)| *severity).collect(),
                until: Some(last_due(now, *age, "category")?),
                ..NormalizedFilters::default()
            };
            due.push((RetentionRule::Category(category.as_str().into()), Due::ByAge(Box::new(filters))));
        }
        for (severity, age) in &self.severities {
            let outlasted_by = self.categories.iter().filter(|(_, other)| *other >= age);
            let filters = NormalizedFilters {
                severities: vec![*severity],
                excluded_categories: outlasted_by.map(|(category, _)| category.clone()).collect(),
                until: Some(last_due(now, *age, "severity")?),
                ..NormalizedFilters::default()
            };
            due.push((RetentionRule::Severity(*severity), Due::ByAge(Box::new(filters))));
        }
        if let Some(age) = self.max_age {
            let filters = NormalizedFilters {
                excluded_categories: self.categories.keys().cloned().collect(),
                excluded_severities: self.severities.keys().copied().collect(),
                until: Some(last_due(now, age, "max_age")?),
                ..NormalizedFilters::default()
            };
            due.push((RetentionRule::MaxAge, Due::ByAge(Box::new(filters))));
        }
        due.extend(self.max_entries.map(|entries| (RetentionRule::MaxEntries, Due::BeyondEntries(entries))));
        due.extend(self.max_bytes.map(|bytes| (RetentionRule::MaxBytes, Due::BeyondBytes(bytes))));
        Ok(due)
    }
}

/// The last storable instant before `now - age`; the earliest instant if that is out of range.
fn last_due(now: DateTime<Utc>, age: TimeDelta, rule: &'static str) -> Result<DateTime<Utc>> {
    if age < TimeDelta::zero() {
        let reason = "is negative, which would delete entries of the future; an age is zero or more".to_owned();
        return Err(Error::InvalidPolicy { rule, reason });
    }
    let cutoff = now.checked_sub_signed(age).map(instant::round_up);
    let last_due = cutoff.and_then(|cutoff| cutoff.checked_sub_signed(TimeDelta::microseconds(1)));
    Ok(last_due.unwrap_or(DateTime::<Utc>::MIN_UTC))
}

#[cfg(test)]
mod tests {
    use super::{ActivitySeverity, DateTime, Due, NormalizedFilters, RetentionPolicy, TimeDelta, Utc};

    fn days(days: i64) -> TimeDelta {
        TimeDelta::days(days)
    }

    fn by_age(policy: &RetentionPolicy) -> Vec<(String, NormalizedFilters)> {
        let due = policy.due(DateTime::UNIX_EPOCH).expect("a valid policy");
        let by_age = due.into_iter().filter_map(|(rule, due)| match due {
            Due::ByAge(filters) => Some((rule.to_string(), *filters)),
            _ => None,
        });
        by_age.collect()
    }

    #[test]
    fn each_category_and_severity_is_due_by_the_longest_rule_that_names_it() {
        let policy = RetentionPolicy::new()
            .max_age(days(90))
            .category("auth", days(730))
            .category("device", days(7))
            .severity(ActivitySeverity::Info, days(30))
            .severity(ActivitySeverity::Error, days(1_000));
        let exclusions = by_age(&policy).into_iter().map(|(rule, filters)| {
            let severities = filters.excluded_severities.iter().map(|severity| severity.as_str());
            (rule, filters.excluded_categories.join(" "), severities.collect::<Vec<_>>().join(" "))
        });
        let expected = [
            ("category auth", "", "error"),
            ("category device", "", "info error"),
            ("severity info", "auth", ""),
            ("severity error", "", ""),
            ("max_age", "auth device", "info error"),
        ];
        let expected = expected.map(|(rule, one, other)| (rule.to_owned(), one.to_owned(), other.to_owned()));
        assert_eq!(exclusions.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn of_rules_with_one_age_the_categorys_counts() {
        let policy = RetentionPolicy::new().category("auth", days(30)).severity(ActivitySeverity::Info, days(30));
        let due = by_age(&policy);
        assert!(due[0].1.excluded_severities.is_empty(), "{due:?}");
        assert_eq!(due[1].1.excluded_categories, ["auth"]);
    }

    #[test]
    fn an_age_beyond_all_time_reaches_back_to_its_beginning() {
        for (_, filters) in by_age(&RetentionPolicy::new().max_age(TimeDelta::MAX).category("auth", TimeDelta::MAX)) {
            assert_eq!(filters.until, Some(DateTime::<Utc>::MIN_UTC));
        }
    }
}
