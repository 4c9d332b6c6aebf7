//! The names of a person, wherever they appear in an entry.

use std::borrow::Cow;
use std::cmp::Reverse;

use serde_json::{Map, Value};

use crate::model::encoding::storable_text;
use crate::model::entry::NewActivityLogEntry;

/// Names as they are stored, the longest first.
pub(crate) struct Names<'a>(Vec<Cow<'a, str>>);

impl<'a> Names<'a> {
    pub(crate) fn new(names: &[&'a str]) -> Self {
        let mut names = names.iter().copied().map(storable_text).collect::<Vec<_>>();
        names.sort_by_key(|name| Reverse(name.len()));
        Self(names)
    }

    /// Replaces each name as a whole word in the actor, the entity's id and name, the message and the metadata.
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
            Value::Number(number) if self.0.iter().any(|name| *name == number.to_string()) => replacement.into(),
            Value::Array(values) => values.into_iter().map(|value| self.replace_in_value(value, replacement)).collect(),
            Value::Object(members) => self.replace_in_members(members, replacement).into(),
            other => other,
        }
    }

    /// Replaces the names where no letter or digit is next to them.
    fn replace(&self, text: &str, replacement: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut before = None;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some((name, after)) = self.split_first_word(before, rest) {
                replaced.push_str(replacement);
                before = name.chars().next_back();
                rest = after;
            } else {
                replaced.push(character);
                before = Some(character);
                rest = rest.get(character.len_utf8()..).unwrap_or_default();
            }
        }
        replaced
    }

    /// The name with which a text begins as a whole word, and what follows.
    fn split_first_word<'t>(&self, before: Option<char>, text: &'t str) -> Option<(&'t str, &'t str)> {
        self.0.iter().find_map(|name| {
            let (found, after) = text.split_at_checked(name.len())?;
            let touches = [before, after.chars().next()].into_iter().flatten().any(char::is_alphanumeric);
            (found.eq_ignore_ascii_case(name) && !touches).then_some((found, after))
        })
    }
}
