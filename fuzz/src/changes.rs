//! Changes to entries that are in the log, and what erasing an actor does to an entry.

use activity_log::NewActivityLogEntry;
use arbitrary::Arbitrary;
use chrono::DateTime;
use serde_json::{Map, Value};

use crate::input::{Category, Metadata, Severity, Text};
use crate::normal;

/// A change that is the same for equal entries.
#[derive(Debug, Clone, Arbitrary)]
pub enum Change {
    Nothing,
    /// The id and the time, which stay as they are.
    Identity(Text),
    Category(Category),
    Action(Text),
    Severity(Severity),
    Actor(Text),
    EntityType(Option<Text>),
    EntityId(Option<Text>),
    EntityName(Option<Text>),
    Message(Text),
    /// Of some entries, maybe nested too deep.
    Metadata(Metadata, bool),
    /// Writes one field into others.
    Shuffle,
    UpperCase,
    All(Vec<Change>),
}

impl Change {
    pub fn make(&self, entry: &mut NewActivityLogEntry) {
        let optional = |text: &Option<Text>| text.as_ref().map(|text| text.0.clone());
        match self {
            Self::Nothing => {}
            Self::Identity(id) => (entry.id, entry.ts) = (id.0.clone(), DateTime::UNIX_EPOCH),
            Self::Category(category) => entry.category = category.clone().into(),
            Self::Action(text) => entry.action.clone_from(&text.0),
            Self::Severity(severity) => entry.severity = (*severity).into(),
            Self::Actor(text) => entry.actor.clone_from(&text.0),
            Self::EntityType(text) => entry.entity_type = optional(text),
            Self::EntityId(text) => entry.entity_id = optional(text),
            Self::EntityName(text) => entry.entity_name = optional(text),
            Self::Message(text) => entry.message.clone_from(&text.0),
            Self::Metadata(metadata, of_every_entry) => {
                if *of_every_entry || entry.message.len() % 2 == 0 {
                    entry.metadata = metadata.clone().into();
                }
            }
            Self::Shuffle => {
                std::mem::swap(&mut entry.actor, &mut entry.action);
                std::mem::swap(&mut entry.entity_id, &mut entry.entity_type);
                entry.category = entry.message.chars().take(9).collect::<String>().into();
            }
            Self::UpperCase => {
                for text in [&mut entry.actor, &mut entry.action, &mut entry.message] {
                    *text = text.to_uppercase();
                }
            }
            Self::All(changes) => changes.iter().for_each(|change| change.make(entry)),
        }
    }
}

/// Replaces an actor wherever the documentation says, in an entry of theirs.
pub fn erase(actor: &str, replacement: &str, entry: &mut NewActivityLogEntry) {
    let name = normal::text(actor);
    let replace = |text: &str| replace_word(text, &name, replacement);
    entry.actor = replace(&entry.actor);
    entry.entity_id = entry.entity_id.as_deref().map(replace);
    entry.entity_name = entry.entity_name.as_deref().map(replace);
    entry.message = replace(&entry.message);
    entry.metadata = erase_in_members(&entry.metadata, &name, replacement);
}

fn erase_in_members(members: &Map<String, Value>, name: &str, replacement: &str) -> Map<String, Value> {
    let mut erased = Map::new();
    for (key, value) in members {
        let mut key = replace_word(key, name, replacement);
        while erased.contains_key(&key) {
            key += "'";
        }
        erased.insert(key, erase_in_value(value, name, replacement));
    }
    erased
}

fn erase_in_value(value: &Value, name: &str, replacement: &str) -> Value {
    match value {
        Value::String(text) => replace_word(text, name, replacement).into(),
        Value::Number(number) if number.to_string() == name => replacement.into(),
        Value::Array(values) => values.iter().map(|value| erase_in_value(value, name, replacement)).collect(),
        Value::Object(members) => erase_in_members(members, name, replacement).into(),
        other => other.clone(),
    }
}

/// Replaces a name where no letter or digit touches it.
fn replace_word(text: &str, name: &str, replacement: &str) -> String {
    let (text, name) = (text.chars().collect::<Vec<_>>(), name.chars().collect::<Vec<_>>());
    let (mut replaced, mut at) = (String::new(), 0);
    while at < text.len() {
        let end = at + name.len();
        let touches = |position: Option<usize>| {
            position.and_then(|position| text.get(position)).is_some_and(|character| character.is_alphanumeric())
        };
        if text[at..].starts_with(&name) && !touches(at.checked_sub(1)) && !touches(Some(end)) {
            replaced += replacement;
            at = end;
        } else {
            replaced.push(text[at]);
            at += 1;
        }
    }
    replaced
}
