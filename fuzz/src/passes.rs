//! Which entries match filters, by the documented rules.

use std::collections::BTreeSet;

use activity_log::{ActivityLogEntry, ActivityLogFilters, Error};
use serde_json::{Map, Value};

use crate::normal;

/// The fields that the limit of values may name.
const LISTS: [&str; 7] = [
    "categories",
    "exclude_categories",
    "actions",
    "exclude_actions",
    "actors",
    "exclude_actors",
    "exclude_entity_types",
];

/// Filters with their texts and times in the form in which they are compared. An empty text restricts nothing.
pub struct Passes {
    categories: BTreeSet<String>,
    exclude_categories: BTreeSet<String>,
    actions: Actions,
    exclude_actions: Actions,
    actors: BTreeSet<String>,
    exclude_actors: BTreeSet<String>,
    exclude_entity_types: BTreeSet<String>,
    filters: ActivityLogFilters,
}

#[derive(Default)]
struct Actions {
    names: BTreeSet<String>,
    /// What is before the `*`.
    beginnings: BTreeSet<String>,
}

impl Passes {
    pub fn new(filters: &ActivityLogFilters) -> Self {
        let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(normal::text);
        Self {
            categories: texts(filters.categories.iter().map(|category| category.as_str())),
            exclude_categories: texts(filters.exclude_categories.iter().map(|category| category.as_str())),
            actions: Actions::new(&filters.actions),
            exclude_actions: Actions::new(&filters.exclude_actions),
            actors: texts(filters.actors.iter().map(String::as_str)),
            exclude_actors: texts(filters.exclude_actors.iter().map(String::as_str)),
            exclude_entity_types: texts(filters.exclude_entity_types.iter().map(String::as_str)),
            filters: ActivityLogFilters {
                severities: filters.severities.clone(),
                exclude_severities: filters.exclude_severities.clone(),
                actor: text(&filters.actor),
                entity_type: text(&filters.entity_type),
                entity_id: text(&filters.entity_id),
                since: filters.since.map(normal::instant),
                until: filters.until.map(normal::instant),
                message_contains: text(&filters.message_contains).map(|term| term.to_ascii_lowercase()),
                metadata: filters.metadata.clone(),
                ..ActivityLogFilters::default()
            },
        }
    }

    pub fn all_of(&self, entry: &ActivityLogEntry) -> bool {
        let filters = &self.filters;
        let is = |asked: &Option<String>, value: Option<&str>| asked.is_none() || asked.as_deref() == value;
        (self.categories.is_empty() || self.categories.contains(entry.category.as_str()))
            && !self.exclude_categories.contains(entry.category.as_str())
            && !filters.exclude_severities.contains(&entry.severity)
            && (filters.severities.is_empty() || filters.severities.contains(&entry.severity))
            && (self.actions.is_empty() || self.actions.have(&entry.action))
            && !self.exclude_actions.have(&entry.action)
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

    /// Panics unless the outcome is an error exactly if the lists are too long or the metadata cannot be searched. Returns
    /// whether it is an error.
    ///
    /// An action that a beginning covers may count or not.
    pub fn check_limits<T>(&self, outcome: &activity_log::Result<T>) -> bool {
        let actions = [("actions", &self.actions), ("exclude_actions", &self.exclude_actions)];
        let too_many = actions.iter().filter(|(_, actions)| actions.beginnings.len() > 200).map(|(field, _)| *field);
        let too_many = too_many.collect::<Vec<_>>();
        let categories = self.categories.len() + self.exclude_categories.len();
        let others = categories + self.actors.len() + self.exclude_actors.len() + self.exclude_entity_types.len();
        let most = others + actions.iter().map(|(_, actions)| actions.values()).sum::<usize>();
        if matches!(outcome, Err(Error::InvalidFilter { field: "metadata", .. })) {
            assert!(self.refuses_metadata(), "{:?}", self.filters.metadata);
            return true;
        }
        let refused = match outcome {
            Err(Error::InvalidFilter { field, .. }) if LISTS.contains(field) => Some(*field),
            _ => None,
        };
        if !too_many.is_empty() {
            assert!(refused.is_some_and(|field| too_many.contains(&field)), "{refused:?} instead of {too_many:?}");
        } else if most <= 32_000 {
            assert_eq!(refused, None, "{most} values");
        } else {
            let least = others + actions.iter().map(|(_, actions)| actions.uncovered_values()).sum::<usize>();
            assert!(refused.is_some() || least <= 32_000, "{least} values are accepted");
        }
        assert!(refused.is_some() || !self.refuses_metadata(), "{:?}", self.filters.metadata);
        refused.is_some()
    }

    fn refuses_metadata(&self) -> bool {
        let members = &self.filters.metadata;
        members.len() > 10
            || members.iter().any(|(key, value)| key.starts_with([',', ':', ']', '}']) || normal::depth(value) > 126)
    }

    /// How many values the lists have.
    pub fn values(&self) -> usize {
        self.categories.len()
            + self.exclude_categories.len()
            + self.actors.len()
            + self.exclude_actors.len()
            + self.exclude_entity_types.len()
            + self.actions.values()
            + self.exclude_actions.values()
    }
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

impl Actions {
    fn new(actions: &[String]) -> Self {
        let (beginnings, names) = texts(actions.iter().map(String::as_str))
            .into_iter()
            .partition::<BTreeSet<_>, _>(|action| action.ends_with(".*"));
        Self { names, beginnings: beginnings.iter().map(|action| action[..action.len() - 1].to_owned()).collect() }
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.beginnings.is_empty()
    }

    fn have(&self, action: &str) -> bool {
        self.names.contains(action) || self.beginnings.iter().any(|beginning| action.starts_with(beginning))
    }

    fn values(&self) -> usize {
        self.names.len() + 2 * self.beginnings.len()
    }

    fn uncovered_values(&self) -> usize {
        let is_covered = |action: &str| {
            self.beginnings.iter().any(|beginning| action.starts_with(beginning.as_str()) && action != beginning)
        };
        // A name that equals what is before a `*` begins with it.
        let names = self.names.iter().filter(|name| !is_covered(name) && !self.beginnings.contains(*name)).count();
        names + 2 * self.beginnings.iter().filter(|beginning| !is_covered(beginning)).count()
    }
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    texts.filter(|text| !text.is_empty()).map(normal::text).collect()
}
