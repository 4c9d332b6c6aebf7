//! Which entries match filters, by the documented rules.

use std::collections::BTreeSet;

use activity_log::{ActivityCategory, ActivityLogEntry, ActivityLogFilters};
use serde_json::{Map, Value};

use crate::behaviour::model::answer::Refusal;
use crate::behaviour::model::inputs::nested;
use crate::behaviour::model::list::{instant, stored_text};

/// Filters with their values as they are compared. An empty text restricts nothing.
pub(super) struct Passes {
    filters: ActivityLogFilters,
    categories: BTreeSet<String>,
    exclude_categories: BTreeSet<String>,
    actions: BTreeSet<String>,
    exclude_actions: BTreeSet<String>,
    actors: BTreeSet<String>,
    exclude_actors: BTreeSet<String>,
    exclude_entity_types: BTreeSet<String>,
}

impl Passes {
    pub(super) fn new(filters: &ActivityLogFilters) -> Result<Self, Refusal> {
        let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(stored_text);
        let passes = Self {
            categories: texts(filters.categories.iter().map(ActivityCategory::as_str)),
            exclude_categories: texts(filters.exclude_categories.iter().map(ActivityCategory::as_str)),
            actions: texts(filters.actions.iter().map(String::as_str)),
            exclude_actions: texts(filters.exclude_actions.iter().map(String::as_str)),
            actors: texts(filters.actors.iter().map(String::as_str)),
            exclude_actors: texts(filters.exclude_actors.iter().map(String::as_str)),
            exclude_entity_types: texts(filters.exclude_entity_types.iter().map(String::as_str)),
            filters: ActivityLogFilters {
                severities: filters.severities.clone(),
                exclude_severities: filters.exclude_severities.clone(),
                actor: text(&filters.actor),
                entity_type: text(&filters.entity_type),
                entity_id: text(&filters.entity_id),
                since: filters.since.map(instant),
                until: filters.until.map(instant),
                message_contains: text(&filters.message_contains).map(|term| term.to_ascii_lowercase()),
                metadata: filters.metadata.clone(),
                ..ActivityLogFilters::default()
            },
        };
        passes.check()?;
        Ok(passes)
    }

    /// Only one list at a time is long here.
    fn check(&self) -> Result<(), Refusal> {
        let beginnings = |actions: &BTreeSet<String>| actions.iter().filter(|action| action.ends_with(".*")).count();
        let refused = [
            ("actions", beginnings(&self.actions) > 200),
            ("exclude_actions", beginnings(&self.exclude_actions) > 200),
            ("actors", self.actors.len() > 32_000),
            ("exclude_actors", self.exclude_actors.len() > 32_000),
            ("exclude_categories", self.exclude_categories.len() > 32_000),
            ("exclude_entity_types", self.exclude_entity_types.len() > 32_000),
            ("metadata", is_refused(&self.filters.metadata)),
        ];
        refused
            .into_iter()
            .find(|(_, is_refused)| *is_refused)
            .map_or(Ok(()), |(field, _)| Err(Refusal::Filter { field }))
    }

    pub(super) fn all_of(&self, entry: &ActivityLogEntry) -> bool {
        let filters = &self.filters;
        let is = |asked: &Option<String>, value: Option<&str>| asked.is_none() || asked.as_deref() == value;
        (self.categories.is_empty() || self.categories.contains(entry.category.as_str()))
            && !self.exclude_categories.contains(entry.category.as_str())
            && !filters.exclude_severities.contains(&entry.severity)
            && (filters.severities.is_empty() || filters.severities.contains(&entry.severity))
            && (self.actions.is_empty() || has_action(&self.actions, &entry.action))
            && !has_action(&self.exclude_actions, &entry.action)
            && is(&filters.actor, Some(&entry.actor))
            && (self.actors.is_empty() || self.actors.contains(&entry.actor))
            && !self.exclude_actors.contains(&entry.actor)
            && is(&filters.entity_type, entry.entity_type.as_deref())
            && !entry.entity_type.as_ref().is_some_and(|name| self.exclude_entity_types.contains(name))
            && is(&filters.entity_id, entry.entity_id.as_deref())
            && filters.since.is_none_or(|since| entry.ts >= since)
            && filters.until.is_none_or(|until| entry.ts <= until)
            && filters.message_contains.as_ref().is_none_or(|term| entry.message.to_ascii_lowercase().contains(term))
            && filters.metadata.iter().all(|(key, value)| has_member(&entry.metadata, key, value))
    }
}

fn is_refused(members: &Map<String, Value>) -> bool {
    members.keys().any(|key| key.starts_with([',', ':', ']', '}'])) || *members == nested(128)
}

/// Whether this object or one within it has the member.
fn has_member(members: &Map<String, Value>, key: &str, value: &Value) -> bool {
    // Numbers are equal if they are written alike; to compare them as numbers would take 0.0 for -0.0.
    let json = Value::to_string;
    members.get(key).is_some_and(|own| json(own) == json(value))
        || members.values().any(|within| is_within(within, key, value))
}

fn is_within(container: &Value, key: &str, value: &Value) -> bool {
    match container {
        Value::Object(members) => has_member(members, key, value),
        Value::Array(values) => values.iter().any(|within| is_within(within, key, value)),
        _ => false,
    }
}

fn has_action(asked: &BTreeSet<String>, action: &str) -> bool {
    asked.iter().any(|asked| match asked.strip_suffix('*').filter(|beginning| beginning.ends_with('.')) {
        Some(beginning) => action.starts_with(beginning),
        None => asked == action,
    })
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    texts.filter(|text| !text.is_empty()).map(stored_text).collect()
}
