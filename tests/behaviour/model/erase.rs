//! What erasing names does to an entry.

use activity_log::NewActivityLogEntry;
use serde_json::{Map, Value};

/// Names, the longest first, and what takes their place.
pub(super) struct Erasing<'a> {
    pub(super) names: Vec<String>,
    pub(super) by: &'a str,
}

impl Erasing<'_> {
    pub(super) fn make(&self, entry: &mut NewActivityLogEntry) {
        entry.actor = self.text(&entry.actor);
        entry.entity_id = entry.entity_id.as_deref().map(|text| self.text(text));
        entry.entity_name = entry.entity_name.as_deref().map(|text| self.text(text));
        entry.message = self.text(&entry.message);
        entry.metadata = self.members(&entry.metadata);
    }

    fn members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        let mut erased = Map::new();
        for (key, value) in members {
            let mut key = self.text(key);
            while erased.contains_key(&key) {
                key += "'";
            }
            erased.insert(key, self.value(value));
        }
        erased
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            Value::Object(members) => self.members(members).into(),
            other => other.clone(),
        }
    }

    /// Replaces names where no letter or digit touches them.
    fn text(&self, text: &str) -> String {
        let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        let mut erased = String::new();
        let (mut before, mut rest) = (None, text);
        while let Some(first) = rest.chars().next() {
            let found = self.names.iter().find(|name| {
                let starts = rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
                starts && !is_word(before) && !is_word(rest.get(name.len()..).and_then(|after| after.chars().next()))
            });
            let length = found.map_or(first.len_utf8(), String::len);
            let (taken, after) = rest.split_at(length);
            erased += if found.is_some() { self.by } else { taken };
            (before, rest) = (taken.chars().next_back(), after);
        }
        erased
    }
}
