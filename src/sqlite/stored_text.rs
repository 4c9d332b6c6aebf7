//! Texts as SQLite stores them.

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::row::Row;
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteValue};

use crate::error::Result;
use crate::model::category::ActivityCategory;
use crate::model::severity::{ActivitySeverity, ParseSeverityError};
use crate::sqlite::timestamp;

/// What a stored text stands for, or why it stands for nothing.
///
/// SQLite accepts bytes that are not UTF-8, and they read as U+FFFD. Reading them as a `String` with Diesel would fail
/// the whole page.
#[derive(FromSqlRow)]
pub(crate) struct Stored<T>(T);

impl<T> Stored<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl Stored<String> {
    /// The text, unless a part of it may have been read as U+FFFD or would be written as U+FFFD.
    pub(crate) fn lossless(self) -> Option<String> {
        Some(self.0).filter(|text| !text.contains(['\u{FFFD}', '\u{FFFE}', '\u{FFFF}']))
    }
}

impl<T: FromText> FromSql<Text, Sqlite> for Stored<T> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(T::from_text(value.read_text())))
    }
}

pub(crate) trait FromText {
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

impl FromText for Result<DateTime<Utc>, String> {
    fn from_text(text: &str) -> Self {
        timestamp::decode(text).map_err(|error| format!("is not an RFC 3339 time: {error}"))
    }
}

/// Reads a text as Diesel reads a `String`, and as a [`Stored`] text only if that fails, because reading a [`Stored`]
/// text fetches and validates it twice.
pub(crate) fn read_text<'a>(row: &impl Row<'a, Sqlite>, column: usize) -> deserialize::Result<Option<String>> {
    row.get_value::<Nullable<Text>, _, _>(column).or_else(|_| read_as(row, column))
}

pub(crate) fn read_as<'a, T: FromText>(row: &impl Row<'a, Sqlite>, column: usize) -> deserialize::Result<Option<T>> {
    let stored: Option<Stored<T>> = row.get_value::<Nullable<Text>, _, _>(column)?;
    Ok(stored.map(|stored| stored.0))
}
