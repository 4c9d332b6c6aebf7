//! The name of a person, wherever it appears in an entry.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::model::encoding::storable_text;
use crate::model::entry::NewActivityLogEntry;

/// A name, as it is stored.
pub(crate) struct Name<'a>(Cow<'a, str>);

impl<'a> Name<'a> {
    pub(crate) fn new(name: &'a str) -> Self {
        Self(storable_text(name))
    }

    /// Replaces the name as a whole word in the actor, the entity's id and name, the message and the metadata.
    pub(crate) fn replace_in(&self, entry: &mut NewActivityLogEntry, replacement: &str) {
        let NewActivityLogEntry { actor, entity_id, entity_name, message, metadata, .. } = entry;
        for text in [Some(actor), entity_id.as_mut(), entity_name.as_mut(), Some(message)].into_iter().flatten() {
            *text = self.replace(text, replacement);
        }
        *metadata = self.replace_in_members(std::mem::take(metadata), replacement);
    }

    fn replace_in_members(&self, members: Map<String, Value>, replacement: &str) -> Map<String, Value> {
        let mut replaced = Map::new();
        for (key, value) in members {
            let mut key = self.replace(&key, replacement);
            // The object may already have this key.
            while replaced.contains_key(&key) {
                key.push('\'');
            }
            replaced.insert(key, self.replace_in_value(value, replacement));
        }
        replaced
    }

    fn replace_in_value(&self, value: Value, replacement: &str) -> Value {
        match value {
            Value::String(text) => self.replace(&text, replacement).into(),
            Value::Number(number) if number.to_string() == self.0 => replacement.into(),
            Value::Array(values) => values.into_iter().map(|value| self.replace_in_value(value, replacement)).collect(),
            Value::Object(members) => self.replace_in_members(members, replacement).into(),
            other => other,
        }
    }

    /// Replaces the name where no letter or digit is next to it.
    fn replace(&self, text: &str, replacement: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut before = None;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let after = rest
                .strip_prefix(&*self.0)
                .filter(|after| ![before, after.chars().next()].into_iter().flatten().any(char::is_alphanumeric));
            if let Some(after) = after {
                replaced.push_str(replacement);
                before = self.0.chars().next_back();
                rest = after;
            } else {
                replaced.push(character);
                before = Some(character);
                rest = rest.get(character.len_utf8()..).unwrap_or_default();
            }
        }
        replaced
    }
}
