//! The name of a person, wherever it stands in an entry.

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

    /// Replaces the name as the actor, and as a word in every other text but the category, the action and the entity type.
    pub(crate) fn replace_in(&self, entry: &mut NewActivityLogEntry, replacement: &str) {
        let NewActivityLogEntry { actor, entity_id, entity_name, message, metadata, .. } = entry;
        for text in [Some(actor), entity_id.as_mut(), entity_name.as_mut(), Some(message)].into_iter().flatten() {
            *text = self.replace(text, replacement);
        }
        *metadata = self.replace_in_members(std::mem::take(metadata), replacement);
    }

    fn replace_in_members(&self, members: Map<String, Value>, replacement: &str) -> Map<String, Value> {
        let replace = |(key, value): (String, Value)| {
            (self.replace(&key, replacement), self.replace_in_value(value, replacement))
        };
        members.into_iter().map(replace).collect()
    }

    fn replace_in_value(&self, value: Value, replacement: &str) -> Value {
        match value {
            Value::String(text) => self.replace(&text, replacement).into(),
            Value::Array(values) => values.into_iter().map(|value| self.replace_in_value(value, replacement)).collect(),
            Value::Object(members) => self.replace_in_members(members, replacement).into(),
            other => other,
        }
    }

    /// Replaces the name where no letter or digit touches it.
    fn replace(&self, text: &str, replacement: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut copied = 0;
        for (position, name) in text.match_indices(&*self.0) {
            let end = position + name.len();
            let before = text.get(..position).and_then(|before| before.chars().next_back());
            let after = text.get(end..).and_then(|after| after.chars().next());
            if [before, after].into_iter().flatten().any(char::is_alphanumeric) {
                continue;
            }
            replaced.push_str(text.get(copied..position).unwrap_or_default());
            replaced.push_str(replacement);
            copied = end;
        }
        replaced.push_str(text.get(copied..).unwrap_or_default());
        replaced
    }
}
