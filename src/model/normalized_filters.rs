use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::encoding::storable_text;
use crate::model::filters::ActivityLogFilters;
use crate::model::instant;
use crate::model::severity::ActivitySeverity;

/// The longest list of values that every database takes in one statement, beside the other filters.
pub(crate) const MAX_LIST_VALUES: usize = 32_000;

/// Filters in plain values: texts as they are stored, lists sorted and without repetitions, bounds in whole
/// microseconds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NormalizedFilters {
    pub(crate) categories: Vec<String>,
    pub(crate) severities: Vec<ActivitySeverity>,
    /// None of these; a row without a category is not excluded.
    pub(crate) excluded_categories: Vec<String>,
    /// None of these; a row whose severity is none of the three is not excluded.
    pub(crate) excluded_severities: Vec<ActivitySeverity>,
    pub(crate) actor: Option<String>,
    pub(crate) entity_type: Option<String>,
    pub(crate) entity_id: Option<String>,
    /// Inclusive.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Inclusive.
    pub(crate) until: Option<DateTime<Utc>>,
    /// Never empty.
    pub(crate) message_contains: Option<String>,
}

impl NormalizedFilters {
    /// Normalizes filters.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`] for a list that is too long.
    pub(crate) fn new(filters: &ActivityLogFilters) -> Result<Self> {
        let text = |text: &Option<String>| text.as_deref().map(|text| storable_text(text).into_owned());
        let categories = filters.categories.iter().map(ActivityCategory::as_str).map(storable_text);
        let categories = categories.collect::<BTreeSet<_>>();
        if categories.len() > MAX_LIST_VALUES {
            let reason =
                format!("lists {} different values, and at most {MAX_LIST_VALUES} are allowed", categories.len());
            return Err(Error::InvalidFilter { field: "categories", reason });
        }
        Ok(Self {
            categories: categories.into_iter().map(Into::into).collect(),
            severities: filters.severities.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            excluded_categories: Vec::new(),
            excluded_severities: Vec::new(),
            actor: text(&filters.actor),
            entity_type: text(&filters.entity_type),
            entity_id: text(&filters.entity_id),
            since: filters.since.map(instant::round_up),
            until: filters.until.map(instant::round_down),
            message_contains: text(&filters.message_contains).filter(|term| !term.is_empty()),
        })
    }

    /// Whether they restrict the time at most.
    pub(crate) fn restrict_time_only(&self) -> bool {
        Self { since: self.since, until: self.until, ..Self::default() } == *self
    }

    /// Whether they restrict categories and severities at most.
    pub(crate) fn restrict_kind_only(&self) -> bool {
        self.excluded_categories.is_empty()
            && self.excluded_severities.is_empty()
            && self.actor.is_none()
            && self.entity_type.is_none()
            && self.entity_id.is_none()
            && self.since.is_none()
            && self.until.is_none()
            && self.message_contains.is_none()
    }

    /// The severities as they are stored.
    pub(crate) fn severity_texts(&self) -> Vec<&'static str> {
        self.severities.iter().map(|severity| severity.as_str()).collect()
    }

    /// Whether they list severities, and [`Info`](ActivitySeverity::Info), which most entries have, is not among them.
    pub(crate) fn exclude_info(&self) -> bool {
        !self.severities.is_empty() && !self.severities.contains(&ActivitySeverity::Info)
    }

    /// Whether they ask for errors only.
    pub(crate) fn restrict_to_errors(&self) -> bool {
        self.severities == [ActivitySeverity::Error]
    }
}
