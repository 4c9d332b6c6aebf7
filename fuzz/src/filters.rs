//! Arbitrary filters, which take many of their values from the entries of the log.

use activity_log::{ActivityCategory, ActivityLogEntry, ActivityLogFilters, ActivitySeverity};
use arbitrary::Arbitrary;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Map;

use crate::input::{Category, Metadata, Severity, Text, Time};
use crate::model::Model;

/// A new value, or the value of an entry in the log.
#[derive(Debug, Clone, Arbitrary)]
pub enum Value<T> {
    Any(T),
    Of(u8),
}

/// Any filters.
#[derive(Debug, Default, Arbitrary)]
pub struct Filters {
    categories: Vec<Value<Category>>,
    exclude_categories: Vec<Value<Category>>,
    severities: Vec<Severity>,
    exclude_severities: Vec<Severity>,
    actions: Vec<Action>,
    exclude_actions: Vec<Action>,
    actor: Option<Value<Text>>,
    actors: Vec<Value<Text>>,
    exclude_actors: Vec<Value<Text>>,
    entity_type: Option<Value<Text>>,
    exclude_entity_types: Vec<Value<Text>>,
    entity_id: Option<Value<Text>>,
    since: Option<Value<Time>>,
    until: Option<Value<Time>>,
    message_contains: Option<Term>,
    metadata: Vec<Member>,
    /// A few of the numbers stand for long lists. They are unlike all ones, which a fuzzer often tries by itself, because
    /// long lists are slow.
    more: u16,
}

#[derive(Debug, Arbitrary)]
enum Action {
    Name(Value<Text>),
    Beginning(Text),
    /// Up to a dot in an entry's action.
    BeginningOf {
        of: u8,
        dot: u8,
    },
}

#[derive(Debug, Arbitrary)]
enum Term {
    Any(Text),
    /// A part of an entry's message, unchanged or in upper case.
    Part {
        of: u8,
        skip: u8,
        take: u8,
        upper: bool,
    },
}

#[derive(Debug, Arbitrary)]
enum Member {
    Any(Metadata),
    /// A member of an entry's metadata.
    Of {
        of: u8,
        member: u8,
    },
}

impl Filters {
    pub fn resolve(self, model: &Model) -> ActivityLogFilters {
        let optional = |value: Option<Value<Text>>, field: fn(&ActivityLogEntry) -> Option<String>| match value? {
            Value::Any(text) => Some(text.0),
            Value::Of(number) => of(model, number).and_then(field),
        };
        let actors = |actors: Vec<Value<Text>>| actors.into_iter().filter_map(|actor| text(actor, model, actor_of));
        let actions = |actions: Vec<Action>| actions.into_iter().filter_map(|action| action.resolve(model)).collect();
        let categories =
            |values: Vec<Value<Category>>| values.into_iter().filter_map(|value| category(value, model)).collect();
        let mut filters = ActivityLogFilters {
            categories: categories(self.categories),
            exclude_categories: categories(self.exclude_categories),
            severities: self.severities.into_iter().map(ActivitySeverity::from).collect(),
            exclude_severities: self.exclude_severities.into_iter().map(ActivitySeverity::from).collect(),
            actions: actions(self.actions),
            exclude_actions: actions(self.exclude_actions),
            actor: optional(self.actor, |entry| Some(entry.actor.clone())),
            actors: actors(self.actors).collect(),
            exclude_actors: actors(self.exclude_actors).collect(),
            entity_type: optional(self.entity_type, |entry| entry.entity_type.clone()),
            exclude_entity_types: self
                .exclude_entity_types
                .into_iter()
                .filter_map(|value| optional(Some(value), |entry| entry.entity_type.clone()))
                .collect(),
            entity_id: optional(self.entity_id, |entry| entry.entity_id.clone()),
            since: time(self.since, model),
            until: time(self.until, model),
            message_contains: self.message_contains.and_then(|term| term.resolve(model)),
            metadata: self.metadata.into_iter().flat_map(|member| member.resolve(model)).collect(),
        };
        lengthen(&mut filters, self.more);
        filters
    }
}

/// Adds values up to about the limits.
fn lengthen(filters: &mut ActivityLogFilters, more: u16) {
    let categories = |count| (0..count).map(|number| ActivityCategory::Other(format!("category {number}")));
    let texts = |count, end: &'static str| (0..count).map(move |number| format!("{number}{end}"));
    match more {
        0xA5C3 => filters.categories.extend(categories(32_001)),
        0xA5C4 => filters.categories.extend(categories(31_990)),
        0xA5C5 => {
            filters.categories.extend(categories(6_400));
            for list in
                [&mut filters.actions, &mut filters.exclude_actions, &mut filters.actors, &mut filters.exclude_actors]
            {
                list.extend(texts(6_398, ""));
            }
        }
        0xA5C6 => {
            filters.actions.extend(texts(200, ".*"));
            filters.exclude_actions.extend(texts(199, ".*"));
        }
        0xA5C7 => filters.exclude_actions.extend(texts(199, ".*")),
        0xA5C8 => filters.actions.extend(texts(201, ".*")),
        0xA5C9 => {
            filters.exclude_actions.extend(texts(196, ".*"));
            filters.exclude_actors.extend(texts(31_600, ""));
        }
        _ => {}
    }
}

impl Action {
    fn resolve(self, model: &Model) -> Option<String> {
        match self {
            Self::Name(value) => text(value, model, |entry| &entry.action),
            Self::Beginning(text) => Some(text.0 + ".*"),
            Self::BeginningOf { of: number, dot } => {
                let action = &of(model, number)?.action;
                let dots = action.match_indices('.').map(|(position, _)| position).collect::<Vec<_>>();
                let end = dots.get(usize::from(dot) % dots.len().max(1)).copied().unwrap_or(action.len());
                Some(action[..end].to_owned() + ".*")
            }
        }
    }
}

impl Term {
    fn resolve(self, model: &Model) -> Option<String> {
        match self {
            Self::Any(text) => Some(text.0),
            Self::Part { of: number, skip, take, upper } => {
                let message = &of(model, number)?.message;
                let part = message.chars().skip(skip.into()).take(take.into()).collect::<String>();
                Some(if upper { part.to_ascii_uppercase() } else { part })
            }
        }
    }
}

impl Member {
    fn resolve(self, model: &Model) -> Map<String, serde_json::Value> {
        match self {
            Self::Any(metadata) => metadata.into(),
            Self::Of { of: number, member } => {
                let members = of(model, number).map(|entry| &entry.metadata).into_iter().flatten();
                let members = members.map(|(key, value)| (key.clone(), value.clone()));
                members.skip(member.into()).take(1).collect()
            }
        }
    }
}

/// The entry with this number, counted in circles.
pub fn of(model: &Model, number: u8) -> Option<&ActivityLogEntry> {
    model.entries.get(usize::from(number) % model.entries.len().max(1))
}

/// A text that every entry has.
pub fn text(value: Value<Text>, model: &Model, field: fn(&ActivityLogEntry) -> &String) -> Option<String> {
    match value {
        Value::Any(text) => Some(text.0),
        Value::Of(number) => of(model, number).map(|entry| field(entry).clone()),
    }
}

pub fn actor_of(entry: &ActivityLogEntry) -> &String {
    &entry.actor
}

pub fn category(value: Value<Category>, model: &Model) -> Option<ActivityCategory> {
    match value {
        Value::Any(category) => Some(category.into()),
        Value::Of(number) => of(model, number).map(|entry| entry.category.clone()),
    }
}

pub fn time(value: Option<Value<Time>>, model: &Model) -> Option<DateTime<Utc>> {
    match value? {
        Value::Any(time) => Some(time.0),
        // Exactly the time, or slightly less or more than a microsecond away from it.
        Value::Of(number) => of(model, number)?
            .ts
            .checked_add_signed(TimeDelta::nanoseconds([0, 1, -1, 1_001, -1_001][usize::from(number) % 5])),
    }
}
