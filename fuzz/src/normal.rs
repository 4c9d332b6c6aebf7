//! The documented stored form of an entry, implemented independently.

use activity_log::{ActivityLogEntry, NewActivityLogEntry};
use chrono::{DateTime, Datelike, Timelike, Utc};
use serde_json::Value;

/// The text that is read back.
pub fn text(text: &str) -> String {
    text.chars().map(|character| if character == '\0' { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// The time as filters compare it: a leap second is the last microsecond of its second.
pub fn instant(ts: DateTime<Utc>) -> DateTime<Utc> {
    if ts.nanosecond() < 1_000_000_000 { ts } else { ts.with_nanosecond(999_999_000).expect("a nanosecond") }
}

/// The time that is read back.
pub fn time(ts: DateTime<Utc>) -> DateTime<Utc> {
    let ts = instant(ts);
    ts.with_nanosecond(ts.nanosecond() / 1_000 * 1_000).expect("a nanosecond")
}

/// The fields that make the entry unacceptable. The error may name any of them.
pub fn refused(entry: &NewActivityLogEntry) -> Vec<&'static str> {
    let year = (1..=9999).contains(&entry.ts.year());
    let nesting = 1 + entry.metadata.values().map(depth).max().unwrap_or(0);
    [("ts", !year), ("metadata", nesting > 127)].into_iter().filter(|(_, bad)| *bad).map(|(field, _)| field).collect()
}

pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The entry that is read back.
pub fn entry(entry: &NewActivityLogEntry, seq: i64) -> ActivityLogEntry {
    ActivityLogEntry {
        seq,
        id: text(&entry.id),
        ts: time(entry.ts),
        category: text(entry.category.as_str()).into(),
        action: text(&entry.action),
        severity: entry.severity,
        actor: text(&entry.actor),
        entity_type: entry.entity_type.as_deref().map(text),
        entity_id: entry.entity_id.as_deref().map(text),
        entity_name: entry.entity_name.as_deref().map(text),
        message: text(&entry.message),
        metadata: entry.metadata.clone(),
    }
}

/// The entry to record in order to copy an entry that was read.
pub fn written_again(entry: &ActivityLogEntry) -> NewActivityLogEntry {
    let ActivityLogEntry {
        seq: _,
        id,
        ts,
        category,
        action,
        severity,
        actor,
        entity_type,
        entity_id,
        entity_name,
        message,
        metadata,
    } = entry.clone();
    NewActivityLogEntry {
        id,
        ts,
        category,
        action,
        severity,
        actor,
        entity_type,
        entity_id,
        entity_name,
        message,
        metadata,
    }
}
