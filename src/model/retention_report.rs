use serde::Serialize;

use crate::model::retention_rule::RetentionRule;

/// What applying a [`RetentionPolicy`](crate::RetentionPolicy) did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct RetentionReport {
    /// How many entries were deleted, not counting those that a trigger or a foreign key of the host's deleted with
    /// them.
    pub deleted: u64,
    /// How many entries are due and stay: a foreign key of the host's refers to them, a trigger keeps them, or they
    /// cannot be read and so cannot be archived.
    pub held_back: u64,
    /// Whether the run was told to stop before it had looked at everything that was due.
    pub stopped: bool,
    /// Each rule of the policy, in the order in which they apply. An entry counts for the first rule by which it is
    /// due.
    pub rules: Vec<RuleReport>,
}

/// What became of the entries that were due by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuleReport {
    /// The rule.
    pub rule: RetentionRule,
    /// How many entries it deleted.
    pub deleted: u64,
    /// How many entries it would have deleted but had to keep.
    pub held_back: u64,
}

impl RetentionReport {
    /// The report of a run that has deleted nothing yet.
    pub(crate) fn new(rules: impl Iterator<Item = RetentionRule>) -> Self {
        let rules = rules.map(|rule| RuleReport { rule, deleted: 0, held_back: 0 });
        Self { rules: rules.collect(), ..Self::default() }
    }

    /// Counts entries that were due by the rule at this position.
    pub(crate) fn add(&mut self, rule: usize, deleted: u64, held_back: u64) {
        self.deleted += deleted;
        self.held_back += held_back;
        if let Some(rule) = self.rules.get_mut(rule) {
            rule.deleted += deleted;
            rule.held_back += held_back;
        }
    }
}
