//! The rows of the table.

use std::borrow::Cow;

use chrono::{DateTime, ParseResult, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::prelude::*;
use diesel::row::Row as DatabaseRow;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteValue};

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::encoding::EncodedEntry;
use crate::model::entry::ActivityLogEntry;
use crate::model::metadata;
use crate::model::severity::{ActivitySeverity, ParseSeverityError};
use crate::schema::activity_log;
use crate::sqlite::timestamp;
use crate::store::batch::Row;

/// A row to insert. Its `None`s are written as NULL, so that every insert is the same cached statement.
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
    metadata: String,
}

impl<'a> From<EncodedEntry<'a>> for NewRow<'a> {
    fn from(entry: EncodedEntry<'a>) -> Self {
        Self {
            id: entry.id,
            ts: timestamp::encode(entry.ts),
            category: entry.category,
            action: entry.action,
            severity: entry.severity.as_str(),
            actor: entry.actor,
            entity_type: entry.entity_type,
            entity_id: entry.entity_id,
            entity_name: entry.entity_name,
            message: entry.message,
            metadata: entry.metadata,
        }
    }
}

/// What a stored text stands for, or why it stands for nothing.
///
/// SQLite does not mind bytes that are not UTF-8, and they read as U+FFFD. Diesel's own reading of a `String` would fail the
/// whole page.
#[derive(FromSqlRow)]
pub(crate) struct Stored<T>(T);

impl<T> Stored<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl Stored<String> {
    /// The text, unless a part of it may have been read as U+FFFD or would be written as it.
    pub(crate) fn lossless(self) -> Option<String> {
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

/// A row as it is stored. A broken value, or a NULL that an older table allowed, fails the decoding of its own row and not
/// the loading of all rows.
#[derive(Debug)]
pub struct StoredRow {
    seq: i64,
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

/// From all columns in the order of the table. Written by hand, because a column that should not be NULL may be, and
/// because one text may have to be read in two ways.
impl FromSqlRow<activity_log::SqlType, Sqlite> for StoredRow {
    fn build_from_row<'a>(row: &impl DatabaseRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            seq: row.get_value::<BigInt, _, _>(0)?,
            id: read_text(row, 1)?,
            ts: read_as(row, 2)?,
            category: read_as(row, 3)?,
            action: read_text(row, 4)?,
            severity: read_as(row, 5)?,
            actor: read_text(row, 6)?,
            entity_type: read_text(row, 7)?,
            entity_id: read_text(row, 8)?,
            entity_name: read_text(row, 9)?,
            message: read_text(row, 10)?,
            metadata: read_text(row, 11)?,
        })
    }
}

/// Reads a text as Diesel reads a `String`, and as a [`Stored`] text only if that fails, because reading a [`Stored`] text
/// fetches and validates it twice.
fn read_text<'a>(row: &impl DatabaseRow<'a, Sqlite>, column: usize) -> deserialize::Result<Option<String>> {
    row.get_value::<Nullable<Text>, _, _>(column).or_else(|_| read_as(row, column))
}

fn read_as<'a, T: FromText>(row: &impl DatabaseRow<'a, Sqlite>, column: usize) -> deserialize::Result<Option<T>> {
    let stored: Option<Stored<T>> = row.get_value::<Nullable<Text>, _, _>(column)?;
    Ok(stored.map(|stored| stored.0))
}

impl Row for StoredRow {
    fn seq(&self) -> i64 {
        self.seq
    }

    fn text_bytes(&self) -> usize {
        let texts = [
            &self.id,
            &self.action,
            &self.actor,
            &self.entity_type,
            &self.entity_id,
            &self.entity_name,
            &self.message,
            &self.metadata,
        ];
        let texts = texts.into_iter().flatten().map(String::as_str);
        let category = self.category.iter().map(ActivityCategory::as_str);
        texts.chain(category).map(str::len).sum()
    }

    fn decode(self) -> Result<ActivityLogEntry> {
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
                .map_err(|error| unreadable("ts", format!("is not an RFC 3339 time: {error}")))?,
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
            metadata: metadata::from_json(&json).map_err(|reason| unreadable("metadata", reason))?,
        })
    }
}
