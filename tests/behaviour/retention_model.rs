//! Random policies delete from a random log what a plain list would lose.

use activity_log::{ActivityLogEntry, ActivitySeverity, NewActivityLogEntry, RetentionPolicy};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::behaviour::retention::apply;
use crate::database::{ActivityLogRepository, CASES, empty_log};
use crate::support::{TestResult, everything};

/// A policy in plain values.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    categories: std::collections::BTreeMap<&'static str, i64>,
    severities: std::collections::BTreeMap<ActivitySeverity, i64>,
    max_age: Option<i64>,
    max_entries: Option<u64>,
    keep_at_least: u64,
}

impl Rules {
    pub(crate) fn policy(&self) -> RetentionPolicy {
        let mut policy = RetentionPolicy::new().keep_at_least(self.keep_at_least);
        for (category, age) in &self.categories {
            policy = policy.category(*category, TimeDelta::microseconds(*age));
        }
        for (severity, age) in &self.severities {
            policy = policy.severity(*severity, TimeDelta::microseconds(*age));
        }
        if let Some(age) = self.max_age {
            policy = policy.max_age(TimeDelta::microseconds(age));
        }
        if let Some(entries) = self.max_entries {
            policy = policy.max_entries(entries);
        }
        policy
    }

    fn is_too_old(&self, entry: &ActivityLogEntry, now: DateTime<Utc>) -> bool {
        let of_category = self.categories.get(entry.category.as_str()).copied();
        let of_severity = self.severities.get(&entry.severity).copied();
        let age = of_category.max(of_severity).or(self.max_age);
        age.is_some_and(|age| entry.ts < now - TimeDelta::microseconds(age))
    }

    /// What stays of a log, oldest first.
    pub(crate) fn apply(&self, log: &[ActivityLogEntry], now: DateTime<Utc>) -> Vec<ActivityLogEntry> {
        let first_kept = log.len().saturating_sub(self.keep_at_least as usize);
        let (open, kept) = log.split_at(first_kept);
        let mut open = open.to_vec();
        open.retain(|entry| !self.is_too_old(entry, now));
        if let Some(most) = self.max_entries {
            let excess = (open.len() + kept.len()).saturating_sub(most as usize);
            open.drain(..excess.min(open.len()));
        }
        open.extend_from_slice(kept);
        open
    }
}

fn category() -> impl Strategy<Value = &'static str> {
    select(vec!["auth", "device", "billing", "system"])
}

fn severity() -> impl Strategy<Value = ActivitySeverity> {
    select(ActivitySeverity::ALL.to_vec())
}

/// Instants and ages in microseconds, close together and with whole seconds among them.
fn micros() -> impl Strategy<Value = i64> {
    (0_i64..4, select(vec![0_i64, 1, 500_000, 999_999])).prop_map(|(seconds, micros)| seconds * 1_000_000 + micros)
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::microseconds(micros)
}

fn entry() -> impl Strategy<Value = NewActivityLogEntry> {
    (category(), severity(), micros()).prop_map(|(category, severity, micros)| {
        NewActivityLogEntry::new(category, "act", "alice", "Acted").severity(severity).ts(instant(micros))
    })
}

pub(crate) fn rules() -> impl Strategy<Value = Rules> {
    let ages = (btree_map(category(), micros(), 0..3), btree_map(severity(), micros(), 0..3), option::of(micros()));
    (ages, option::weighted(0.4, 0_u64..30), prop_oneof![Just(0_u64), 0_u64..15]).prop_map(
        |((categories, severities, max_age), max_entries, keep_at_least)| Rules {
            categories,
            severities,
            max_age,
            max_entries,
            keep_at_least,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_policy_deletes_what_a_plain_list_would_lose(
        entries in vec(entry(), 0..40),
        applied in vec((rules(), micros()), 1..4),
    ) {
        let check = || -> TestResult {
            let mut conn = empty_log()?;
            ActivityLogRepository::new(&mut conn).record_all(&entries)?;
            let mut model = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, 100)?;
            for (rules, now) in &applied {
                let now = instant(now + 2_000_000);
                let expected = rules.apply(&model, now);
                let report = apply(&mut conn, &rules.policy(), now)?;
                let left = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, 100)?;
                assert_eq!(left, expected, "{rules:?}");
                assert_eq!(report.deleted, (model.len() - left.len()) as u64);
                assert_eq!(report.deleted, report.rules.iter().map(|rule| rule.deleted).sum::<u64>());
                model = left;
            }
            Ok(())
        };
        check().map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
