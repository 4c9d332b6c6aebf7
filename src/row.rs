//! The rows of the table, and the codec between them and entries.

use std::borrow::Cow;

use chrono::{DateTime, ParseResult, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::prelude::*;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::schema::activity_log;
use crate::{
    ActivityCategory, ActivityLogEntry, ActivitySeverity, EntryLimits, Error, NewActivityLogEntry, ParseSeverityError,
    Redactor, Result, metadata, timestamp,
};

/// `serde_json` reads no deeper.
pub(crate) const MAX_METADATA_DEPTH: usize = 127;

/// A row to be inserted. Its `None`s are written as NULL, so that every insert is one and the same cached statement.
#[derive(Insertable)]
#[diesel(table_name = activity_log, treat_none_as_default_value = false)]
pub(crate) struct NewRow<'a> {
    id: Cow<'a, str>,
    ts: String,
    category: Cow<'a, str>,
    action: Cow<'a, str>,
    severity: &'static str,
    actor: Cow<'a, str>,
    entity_type: Option<Cow<'a, str>>,
    entity_id: Option<Cow<'a, str>>,
    entity_name: Option<Cow<'a, str>>,
    message: Cow<'a, str>,
    metadata: Cow<'a, str>,
}

/// What is done to entries before they are written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Encoding<'a> {
    pub(crate) limits: EntryLimits,
    pub(crate) redactor: Option<&'a Redactor>,
}

impl<'a> NewRow<'a> {
    /// The row of the entry at `index` of what is being recorded.
    pub(crate) fn encode(entry: &'a NewActivityLogEntry, index: usize, encoding: Encoding<'_>) -> Result<Self> {
        let invalid = |field, reason: String| Error::InvalidEntry { index, field, reason };
        let bounded = |field, stored: Cow<'a, str>, most| match stored.len() {
            bytes if bytes <= most => Ok(stored),
            bytes => Err(invalid(field, format!("has {bytes} bytes, and at most {most} are allowed"))),
        };
        let present = |field, value: &'a Option<String>, most| match value {
            Some(value) => bounded(field, text(value), most).map(Some),
            None => Ok(None),
        };

        let limits = encoding.limits;
        let metadata = encode_metadata(&entry.metadata, encoding.redactor)
            .map_err(|reason| invalid("metadata", reason))
            .and_then(|json| bounded("metadata", json.into(), limits.metadata))?;
        Ok(Self {
            id: bounded("id", text(&entry.id), limits.id)?,
            ts: timestamp::encode(entry.ts)
                .ok_or_else(|| invalid("ts", "is not within the years 0001 to 9999, in UTC".to_owned()))?,
            category: bounded("category", text(entry.category.as_str()), limits.category)?,
            action: bounded("action", text(&entry.action), limits.action)?,
            severity: entry.severity.as_str(),
            actor: bounded("actor", text(&entry.actor), limits.actor)?,
            entity_type: present("entity_type", &entry.entity_type, limits.entity_type)?,
            entity_id: present("entity_id", &entry.entity_id, limits.entity_id)?,
            entity_name: present("entity_name", &entry.entity_name, limits.entity_name)?,
            message: bounded("message", text(&entry.message), limits.message)?,
            metadata,
        })
    }
}

/// A text as it is stored: LIKE stops at U+0000, and PostgreSQL refuses it.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

fn encode_metadata(metadata: &Map<String, Value>, redactor: Option<&Redactor>) -> Result<String, String> {
    if metadata.values().any(|value| nests_deeper(value, MAX_METADATA_DEPTH - 1)) {
        return Err(format!("is nested more than {MAX_METADATA_DEPTH} levels deep"));
    }
    let metadata = redactor.map_or(Cow::Borrowed(metadata), |redactor| redactor.redact(metadata));
    serde_json::to_string(&*metadata).map_err(|error| format!("cannot be written as JSON: {error}"))
}

/// Looks no further than `depth`, so that hostile nesting cannot exhaust the stack.
fn nests_deeper(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(values) => depth == 0 || values.iter().any(|value| nests_deeper(value, depth - 1)),
        Value::Object(map) => depth == 0 || map.values().any(|value| nests_deeper(value, depth - 1)),
        _ => false,
    }
}

/// What a stored text stands for, or why it stands for nothing. Bytes that are no UTF-8, which SQLite does not mind, are
/// read as U+FFFD: Diesel's own reading of a `String` would fail the whole page for them.
#[derive(FromSqlRow)]
pub(crate) struct Stored<T>(T);

impl Stored<String> {
    /// The text, unless some of it may have been read, or would be written, as U+FFFD.
    pub(crate) fn exactly(self) -> Option<String> {
        Some(self.0).filter(|text| !text.contains(['\u{FFFD}', '\u{FFFE}', '\u{FFFF}']))
    }
}

impl<T: FromText> FromSql<Text, Sqlite> for Stored<T> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(T::from_text(value.read_text())))
    }
}

trait FromText {
    fn from_text(text: &str) -> Self;
}

impl FromText for String {
    fn from_text(text: &str) -> Self {
        text.to_owned()
    }
}

impl FromText for ActivityCategory {
    fn from_text(text: &str) -> Self {
        text.into()
    }
}

impl FromText for Result<ActivitySeverity, ParseSeverityError> {
    fn from_text(text: &str) -> Self {
        text.parse()
    }
}

impl FromText for ParseResult<DateTime<Utc>> {
    fn from_text(text: &str) -> Self {
        timestamp::decode(text)
    }
}

/// A row as it is stored, unread: a value that is broken, or NULL where an older table allowed it, fails the decoding
/// of its own row and not the loading of all.
pub(crate) struct StoredRow {
    pub(crate) seq: i64,
    id: Option<String>,
    ts: Option<ParseResult<DateTime<Utc>>>,
    category: Option<ActivityCategory>,
    action: Option<String>,
    severity: Option<Result<ActivitySeverity, ParseSeverityError>>,
    actor: Option<String>,
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_name: Option<String>,
    message: Option<String>,
    metadata: Option<String>,
}

/// From all columns in the order of the table. By hand, as a column may be NULL that is not to be, and as one text may
/// have to be read in two ways.
impl FromSqlRow<activity_log::SqlType, Sqlite> for StoredRow {
    fn build_from_row<'a>(row: &impl Row<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            seq: row.get_value::<BigInt, _, _>(0)?,
            id: text_of(row, 1)?,
            ts: value_of(row, 2)?,
            category: value_of(row, 3)?,
            action: text_of(row, 4)?,
            severity: value_of(row, 5)?,
            actor: text_of(row, 6)?,
            entity_type: text_of(row, 7)?,
            entity_id: text_of(row, 8)?,
            entity_name: text_of(row, 9)?,
            message: text_of(row, 10)?,
            metadata: text_of(row, 11)?,
        })
    }
}

/// Reads a text as Diesel reads a `String`, and as a [`Stored`] one only where that fails: `read_text` fetches and
/// validates each text twice.
fn text_of<'a>(row: &impl Row<'a, Sqlite>, column: usize) -> deserialize::Result<Option<String>> {
    row.get_value::<Nullable<Text>, _, _>(column).or_else(|_| value_of(row, column))
}

fn value_of<'a, T: FromText>(row: &impl Row<'a, Sqlite>, column: usize) -> deserialize::Result<Option<T>> {
    let stored: Option<Stored<T>> = row.get_value::<Nullable<Text>, _, _>(column)?;
    Ok(stored.map(|stored| stored.0))
}

impl StoredRow {
    /// The entry that the row holds.
    pub(crate) fn decode(self) -> Result<ActivityLogEntry> {
        let seq = self.seq;
        let unreadable = |column, reason: String| Error::UnreadableRow { seq, column, reason };
        let null = |column| unreadable(column, "is NULL".to_owned());
        let json = self.metadata.ok_or_else(|| null("metadata"))?;
        Ok(ActivityLogEntry {
            seq,
            id: self.id.ok_or_else(|| null("id"))?,
            ts: self
                .ts
                .ok_or_else(|| null("ts"))?
                .map_err(|error| unreadable("ts", format!("is no RFC 3339 time: {error}")))?,
            category: self.category.ok_or_else(|| null("category"))?,
            action: self.action.ok_or_else(|| null("action"))?,
            severity: self
                .severity
                .ok_or_else(|| null("severity"))?
                .map_err(|error| unreadable("severity", format!("{error}")))?,
            actor: self.actor.ok_or_else(|| null("actor"))?,
            entity_type: self.entity_type,
            entity_id: self.entity_id,
            entity_name: self.entity_name,
            message: self.message.ok_or_else(|| null("message"))?,
            metadata: metadata::from_str(&json).map_err(|error| unreadable("metadata", no_json_object(&error)))?,
        })
    }

    /// About how many bytes it holds: those of the texts that may be long.
    pub(crate) fn len(&self) -> usize {
        [
            &self.id,
            &self.action,
            &self.actor,
            &self.entity_type,
            &self.entity_id,
            &self.entity_name,
            &self.message,
            &self.metadata,
        ]
        .into_iter()
        .flatten()
        .map(String::len)
        .sum()
    }
}

/// The error's own message quotes the value, which may be a secret.
fn no_json_object(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "is JSON, but no object",
        Category::Io | Category::Syntax | Category::Eof => "is no JSON",
    };
    format!("{what}: line {}, column {}", error.line(), error.column())
}
