//! Entries as every database stores them.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Utc};

use crate::error::{Error, Result};
use crate::model::entry::{ActivityLogEntry, NewActivityLogEntry};
use crate::model::instant;
use crate::model::limits::EntryLimits;
use crate::model::metadata;
use crate::model::redactor::Redactor;
use crate::model::severity::ActivitySeverity;

/// How a repository encodes the entries that it records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Encoding<'a> {
    pub(crate) limits: EntryLimits,
    pub(crate) redactor: Option<&'a Redactor>,
}

/// An entry that is within its limits, with its texts as they are stored.
pub(crate) struct EncodedEntry<'a> {
    pub(crate) id: Cow<'a, str>,
    /// In the years 0001 to 9999, in whole microseconds.
    pub(crate) ts: DateTime<Utc>,
    pub(crate) category: Cow<'a, str>,
    pub(crate) action: Cow<'a, str>,
    pub(crate) severity: ActivitySeverity,
    pub(crate) actor: Cow<'a, str>,
    pub(crate) entity_type: Option<Cow<'a, str>>,
    pub(crate) entity_id: Option<Cow<'a, str>>,
    pub(crate) entity_name: Option<Cow<'a, str>>,
    pub(crate) message: Cow<'a, str>,
    /// A JSON object.
    pub(crate) metadata: String,
}

impl Encoding<'_> {
    /// Encodes the entry at `index` of the slice being recorded.
    pub(crate) fn encode<'e>(self, entry: &'e NewActivityLogEntry, index: usize) -> Result<EncodedEntry<'e>> {
        let invalid = |field, reason: String| Error::InvalidEntry { index, field, reason };
        let bounded = |field, bytes: usize, limit| {
            if bytes <= limit {
                return Ok(());
            }
            Err(invalid(field, format!("has {bytes} bytes, and at most {limit} are allowed")))
        };
        let required = |field, value: &'e str, limit| {
            let stored = storable_text(value);
            bounded(field, stored.len(), limit).map(|()| stored)
        };
        let optional = |field, value: &'e Option<String>, limit| {
            value.as_deref().map(|value| required(field, value, limit)).transpose()
        };

        let limits = self.limits;
        let ts = instant::round_down(entry.ts);
        if !(1..=9999).contains(&ts.year()) {
            return Err(invalid("ts", "is not within the years 0001 to 9999, in UTC".to_owned()));
        }
        let metadata =
            metadata::to_json(&entry.metadata, self.redactor).map_err(|reason| invalid("metadata", reason))?;
        bounded("metadata", metadata.len(), limits.metadata)?;
        Ok(EncodedEntry {
            id: required("id", &entry.id, limits.id)?,
            ts,
            category: required("category", entry.category.as_str(), limits.category)?,
            action: required("action", &entry.action, limits.action)?,
            severity: entry.severity,
            actor: required("actor", &entry.actor, limits.actor)?,
            entity_type: optional("entity_type", &entry.entity_type, limits.entity_type)?,
            entity_id: optional("entity_id", &entry.entity_id, limits.entity_id)?,
            entity_name: optional("entity_name", &entry.entity_name, limits.entity_name)?,
            message: required("message", &entry.message, limits.message)?,
            metadata,
        })
    }

    /// The entry as it reads back once it is stored with this `seq`. The caller has stored it.
    pub(crate) fn read_back(self, entry: &NewActivityLogEntry, seq: i64) -> ActivityLogEntry {
        let text = |text: &str| storable_text(text).into_owned();
        let optional = |value: &Option<String>| value.as_deref().map(text);
        let metadata =
            self.redactor.map_or(Cow::Borrowed(&entry.metadata), |redactor| redactor.redact(&entry.metadata));
        ActivityLogEntry {
            seq,
            id: text(&entry.id),
            ts: instant::round_down(entry.ts),
            category: text(entry.category.as_str()).as_str().into(),
            action: text(&entry.action),
            severity: entry.severity,
            actor: text(&entry.actor),
            entity_type: optional(&entry.entity_type),
            entity_id: optional(&entry.entity_id),
            entity_name: optional(&entry.entity_name),
            message: text(&entry.message),
            metadata: metadata.into_owned(),
        }
    }
}

/// A text as it is stored: without U+0000, where some databases end a text and others refuse it.
pub(crate) fn storable_text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}
