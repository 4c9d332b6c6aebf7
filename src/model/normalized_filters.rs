use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::encoding::storable_text;
use crate::model::filters::{ActivityLogFilters, action_prefix};
use crate::model::severity::ActivitySeverity;
use crate::model::{instant, member};

/// The longest list of values that every database accepts in one statement, in addition to the other filters.
pub(crate) const MAX_LIST_VALUES: usize = 32_000;

/// The most action prefixes that every database accepts in one statement: each prefix is a separate test.
pub(crate) const MAX_PREFIXES: usize = 200;

/// Filters in plain values: texts as they are stored, lists sorted and without repetitions, bounds in whole
/// microseconds. No text is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NormalizedFilters {
    pub(crate) categories: Vec<String>,
    /// None of these; a row without a category is not excluded.
    pub(crate) excluded_categories: Vec<String>,
    pub(crate) severities: Vec<ActivitySeverity>,
    pub(crate) actions: Actions,
    pub(crate) excluded_actions: Actions,
    pub(crate) actors: Vec<String>,
    pub(crate) excluded_actors: Vec<String>,
    /// None of these; a row whose severity is none of the three is not excluded.
    pub(crate) excluded_severities: Vec<ActivitySeverity>,
    pub(crate) entity_type: Option<String>,
    /// None of these; a row without a type is not excluded.
    pub(crate) excluded_entity_types: Vec<String>,
    pub(crate) entity_id: Option<String>,
    /// Inclusive.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Inclusive.
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) message_contains: Option<String>,
    /// The metadata contains at least one text of each list.
    pub(crate) metadata_contains: Vec<Vec<String>>,
    /// Whether filters contradict each other, so that no entry can match.
    pub(crate) match_nothing: bool,
}

/// A set of actions.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Actions {
    pub(crate) names: Vec<String>,
    /// Each ends in a dot and stands for every action that begins with it.
    pub(crate) prefixes: Vec<String>,
}

impl Actions {
    fn new(field: &'static str, actions: &[String]) -> Result<Self> {
        let actions = texts(actions.iter().map(String::as_str));
        let (prefixes, names) = actions.into_iter().partition::<Vec<_>, _>(|action| action_prefix(action).is_some());
        let prefixes = prefixes.iter().filter_map(|action| action_prefix(action)).map(ToOwned::to_owned);
        let mut actions = Self { names, prefixes: prefixes.collect() };
        if actions.prefixes.len() > MAX_PREFIXES {
            let listed = actions.prefixes.len();
            let reason =
                format!("lists {listed} different beginnings that end in `.*`, and at most {MAX_PREFIXES} are allowed");
            return Err(Error::InvalidFilter { field, reason });
        }
        let prefixes = actions.prefixes.clone();
        let covers = |prefix: &String, action: &str| action.starts_with(prefix) && action != prefix;
        actions.prefixes.retain(|prefix| !prefixes.iter().any(|other| covers(other, prefix)));
        actions.names.retain(|name| !prefixes.iter().any(|prefix| name.starts_with(prefix)));
        Ok(actions)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.prefixes.is_empty()
    }

    /// How many values a statement binds for the set.
    fn len(&self) -> usize {
        self.names.len() + 2 * self.prefixes.len()
    }

    pub(crate) fn contains(&self, action: &String) -> bool {
        self.names.binary_search(action).is_ok() || self.have_prefix(action)
    }

    fn have_prefix(&self, action: &str) -> bool {
        self.prefixes.iter().any(|prefix| action.starts_with(prefix))
    }
}

impl NormalizedFilters {
    /// Normalizes filters.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`] for lists that are too long, and for members that cannot be searched for.
    pub(crate) fn new(filters: &ActivityLogFilters) -> Result<Self> {
        let text = |text: &Option<String>| {
            text.as_deref().filter(|text| !text.is_empty()).map(|text| storable_text(text).into_owned())
        };
        let list = |list: &[String]| texts(list.iter().map(String::as_str));
        let mut normalized = Self {
            categories: texts(filters.categories.iter().map(ActivityCategory::as_str)),
            excluded_categories: texts(filters.exclude_categories.iter().map(ActivityCategory::as_str)),
            severities: filters.severities.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            actions: Actions::new("actions", &filters.actions)?,
            excluded_actions: Actions::new("exclude_actions", &filters.exclude_actions)?,
            actors: list(&filters.actors),
            excluded_actors: list(&filters.exclude_actors),
            excluded_severities: Vec::new(),
            entity_type: text(&filters.entity_type),
            excluded_entity_types: list(&filters.exclude_entity_types),
            entity_id: text(&filters.entity_id),
            since: filters.since.map(instant::round_up),
            until: filters.until.map(instant::round_down),
            message_contains: text(&filters.message_contains),
            metadata_contains: member::texts_of(&filters.metadata)
                .map_err(|reason| Error::InvalidFilter { field: "metadata", reason })?,
            match_nothing: false,
        };
        normalized.check_lists()?;
        if let Some(actor) = text(&filters.actor) {
            normalized.match_nothing |= !normalized.actors.is_empty() && !normalized.actors.contains(&actor);
            normalized.actors = vec![actor];
        }
        normalized.exclude_severities(&filters.exclude_severities);
        normalized.exclude_from_lists();
        Ok(normalized)
    }

    fn check_lists(&self) -> Result<()> {
        let lists = [
            ("categories", self.categories.len()),
            ("exclude_categories", self.excluded_categories.len()),
            ("actions", self.actions.len()),
            ("exclude_actions", self.excluded_actions.len()),
            ("actors", self.actors.len()),
            ("exclude_actors", self.excluded_actors.len()),
            ("exclude_entity_types", self.excluded_entity_types.len()),
        ];
        let values = lists.iter().map(|(_, values)| values).sum::<usize>();
        match lists.into_iter().max_by_key(|(_, values)| *values) {
            Some((field, listed)) if values > MAX_LIST_VALUES => {
                let all = if listed == values { String::new() } else { format!(" of {values} in all lists") };
                let reason = format!("lists {listed} different values{all}, and at most {MAX_LIST_VALUES} are allowed");
                Err(Error::InvalidFilter { field, reason })
            }
            _ => Ok(()),
        }
    }

    /// Asks for the severities that are left: there are no others, and a database finds them quickly.
    fn exclude_severities(&mut self, excluded: &[ActivitySeverity]) {
        if excluded.is_empty() {
            return;
        }
        if self.severities.is_empty() {
            self.severities = ActivitySeverity::ALL.to_vec();
        }
        self.severities.retain(|severity| !excluded.contains(severity));
        self.match_nothing |= self.severities.is_empty();
    }

    /// Removes excluded values from the lists, so that a database is not asked for them.
    fn exclude_from_lists(&mut self) {
        if !self.categories.is_empty() {
            let excluded = std::mem::take(&mut self.excluded_categories);
            self.categories.retain(|category| excluded.binary_search(category).is_err());
            self.match_nothing |= self.categories.is_empty();
        }
        if !self.actors.is_empty() {
            let excluded = std::mem::take(&mut self.excluded_actors);
            self.actors.retain(|actor| excluded.binary_search(actor).is_err());
            self.match_nothing |= self.actors.is_empty();
        }
        if let Some(name) = &self.entity_type {
            let excluded = std::mem::take(&mut self.excluded_entity_types);
            self.match_nothing |= excluded.binary_search(name).is_ok();
        }
        if !self.actions.is_empty() {
            let excluded = &self.excluded_actions;
            self.actions.names.retain(|action| !excluded.contains(action));
            self.actions.prefixes.retain(|prefix| !excluded.have_prefix(prefix));
            self.match_nothing |= self.actions.is_empty();
            if self.actions.prefixes.is_empty() {
                self.excluded_actions = Actions::default();
            }
        }
    }

    /// The same filters for entries from `first`, inclusive, to `end`, exclusive.
    pub(crate) fn within(mut self, first: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        self.since = self.since.max(Some(first));
        match end.checked_sub_signed(TimeDelta::microseconds(1)) {
            Some(last) => self.until = Some(self.until.map_or(last, |until| until.min(last))),
            None => self.match_nothing = true,
        }
        self
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn restrict_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they restrict nothing but the time.
    #[cfg(feature = "sqlite")]
    pub(crate) fn restrict_time_only(&self) -> bool {
        Self { since: self.since, until: self.until, ..Self::default() } == *self
    }

    /// Whether they restrict the message or the metadata.
    pub(crate) fn restrict_contents(&self) -> bool {
        self.message_contains.is_some() || !self.metadata_contains.is_empty()
    }

    /// Whether they restrict only what the summaries cover: actors, actions, categories, severities, entity types and
    /// times.
    #[cfg(feature = "sqlite")]
    pub(crate) fn restrict_kind_and_time_only(&self) -> bool {
        self.entity_id.is_none() && !self.restrict_contents()
    }

    /// The severities as they are stored.
    pub(crate) fn severity_texts(&self) -> Vec<&'static str> {
        self.severities.iter().map(|severity| severity.as_str()).collect()
    }

    /// The excluded severities as they are stored.
    pub(crate) fn excluded_severity_texts(&self) -> Vec<&'static str> {
        self.excluded_severities.iter().map(|severity| severity.as_str()).collect()
    }

    /// Whether they list severities, and [`Info`](ActivitySeverity::Info), which most entries have, is not among them.
    pub(crate) fn leave_out_info(&self) -> bool {
        !self.severities.is_empty() && !self.severities.contains(&ActivitySeverity::Info)
    }
}

/// Texts as they are stored, sorted; empty ones restrict nothing.
fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let texts = texts.filter(|text| !text.is_empty()).map(|text| storable_text(text).into_owned());
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}
