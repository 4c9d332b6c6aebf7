//! Entries and facets as `/openapi.json` describes them, because the library's own types do not implement `ToSchema`.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::links::EntryLinks;

/// An entry of the log.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct Entry {
    /// The position in the log, never reused.
    seq: i64,
    id: String,
    /// In UTC, with microseconds.
    ts: DateTime<Utc>,
    /// `auth`, `device`, `entity`, `capture`, `system`, or a category of the host's own.
    category: String,
    /// From the host's own vocabulary.
    action: String,
    severity: Severity,
    /// Who did it.
    actor: String,
    /// The kind of entity it was done to.
    #[schema(required)]
    entity_type: Option<String>,
    #[schema(required)]
    entity_id: Option<String>,
    #[schema(required)]
    entity_name: Option<String>,
    /// One sentence for people to read.
    message: String,
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    /// Left out where the server has no pages about what the entry names.
    #[schema(required = false)]
    links: EntryLinks,
}

/// How serious an entry is.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) enum Severity {
    Info,
    Warning,
    Error,
}

/// An entry to record. A field that is `null` counts as missing.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct PostedEntry {
    /// `auth`, `device`, `entity`, `capture`, `system`, or a category of your own.
    category: String,
    action: String,
    /// Who did it. Without it, the entry is of the user who sends it, and where the server has users, only some clients
    /// may name another.
    actor: Option<String>,
    /// One sentence for people to read.
    message: String,
    /// `info` by default.
    severity: Option<Severity>,
    /// The current time by default.
    ts: Option<DateTime<Utc>>,
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_name: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// Of your own, so that the entry is recorded once however often it is sent; a new one by default.
    id: Option<String>,
    /// Only beside an `id`, as in a line of an export; the entry gets a new one.
    seq: Option<i64>,
}

/// The most frequent values of a field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct Facets {
    /// The most frequent first.
    values: Vec<FacetValue>,
    /// Whether there are more values.
    more: bool,
}

/// A value, and how many entries have it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct FacetValue {
    value: String,
    entries: u64,
}

pub(crate) fn posted_example() -> Value {
    json!({
        "category": "device", "action": "device.updated", "actor": "alice", "message": "Renamed the lamp",
        "severity": "warning", "ts": "2026-01-31T12:00:00.123456Z", "entity_type": "device", "entity_id": "dev_7",
        "entity_name": "Desk lamp", "metadata": {"previous": {"name": "Lamp"}},
    })
}

pub(crate) fn entry_example() -> Value {
    let mut entry = posted_example();
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("seq".to_owned(), 7.into());
        fields.insert("id".to_owned(), "al_019c0f3ad2f87c21a7a5e9d1f6b3c404".into());
    }
    entry
}
