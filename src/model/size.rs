//! How much memory an entry takes.

use serde_json::{Map, Value};

use crate::model::entry::NewActivityLogEntry;
use crate::model::metadata::MAX_DEPTH;

/// About how many bytes of memory an entry takes. Metadata below the greatest storable depth is not counted.
pub(crate) fn bytes_of(entry: &NewActivityLogEntry) -> usize {
    let optional = [&entry.entity_type, &entry.entity_id, &entry.entity_name];
    let texts = [&entry.id, &entry.action, &entry.actor, &entry.message].map(String::len);
    size_of::<NewActivityLogEntry>()
        + texts.iter().sum::<usize>()
        + entry.category.as_str().len()
        + optional.into_iter().flatten().map(String::len).sum::<usize>()
        + bytes_of_object(&entry.metadata, MAX_DEPTH)
}

fn bytes_of_object(object: &Map<String, Value>, depth: usize) -> usize {
    object.iter().map(|(key, value)| key.len() + size_of::<String>() + bytes_of_value(value, depth)).sum()
}

fn bytes_of_value(value: &Value, depth: usize) -> usize {
    let Some(depth) = depth.checked_sub(1) else { return 0 };
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(|value| bytes_of_value(value, depth)).sum(),
            Value::Object(object) => bytes_of_object(object, depth),
        }
}
