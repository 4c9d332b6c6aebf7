//! The rows that are read.

use chrono::{DateTime, Utc};
use diesel::associations::HasTable;
use diesel::data_types::PgTimestamp;
use diesel::deserialize::{self, FromSql, FromSqlRow, FromStaticSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::row::Row as DatabaseRow;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};

use crate::error::Result;
use crate::model::category::ActivityCategory;
use crate::model::entry::ActivityLogEntry;
use crate::model::severity::{ActivitySeverity, ParseSeverityError};
use crate::model::stored_row::StoredRow;
use crate::postgres::schema::activity_log;
use crate::postgres::timestamp;
use crate::store::batch::Row;

/// A row as it is stored, for queries of the host's own that must not fail because of one row.
///
/// Loading never fails because of a row's values. Only [`into_entry`](Self::into_entry) fails, and only for a row that
/// another program wrote and that cannot be read as an entry. A query that loads [`ActivityLogEntry`] directly fails as
/// a whole at such a row.
#[derive(Debug, Clone)]
pub struct ActivityLogRow(StoredRow);

impl ActivityLogRow {
    /// The row's `seq`, whether or not the row can be read as an entry.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.0.seq
    }

    /// The entry in the row.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`](crate::Error::UnreadableRow) if the row does not hold one, with the row's `seq` and the
    /// column.
    pub fn into_entry(self) -> Result<ActivityLogEntry> {
        self.0.into_entry()
    }
}

/// Reads all columns in the order of the table. A column that should not be NULL may be NULL, if another program has
/// rebuilt the table.
impl FromStaticSqlRow<activity_log::SqlType, Pg> for ActivityLogRow {
    fn build_from_row<'a>(row: &impl DatabaseRow<'a, Pg>) -> deserialize::Result<Self> {
        let text = |column| row.get_value::<Nullable<Text>, Option<String>, _>(column);
        let severity = text(5)?.map(|text| text.parse::<ActivitySeverity>());
        Ok(Self(StoredRow {
            // A left join without a match has no `seq`; Diesel turns the error into `None`.
            seq: row.get_value::<BigInt, _, _>(0)?,
            id: text(1)?,
            ts: row.get_value::<Nullable<Timestamptz>, Option<StoredTime>, _>(2)?.map(|StoredTime(time)| time),
            category: text(3)?.map(|text| ActivityCategory::from(text.as_str())),
            action: text(4)?,
            severity: severity.map(|parsed: Result<_, ParseSeverityError>| parsed),
            actor: text(6)?,
            entity_type: text(7)?,
            entity_id: text(8)?,
            entity_name: text(9)?,
            message: text(10)?,
            metadata: text(11)?,
        }))
    }
}

/// A time, or why it is none. Reading it as a `DateTime` with Diesel would fail the whole page.
#[derive(FromSqlRow)]
struct StoredTime(Result<DateTime<Utc>, String>);

impl FromSql<Timestamptz, Pg> for StoredTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let time = <PgTimestamp as FromSql<Timestamptz, Pg>>::from_sql(value)?;
        Ok(Self(timestamp::decode(time)))
    }
}

impl Queryable<activity_log::SqlType, Pg> for ActivityLogRow {
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

impl Selectable<Pg> for ActivityLogRow {
    type SelectExpression = <activity_log::table as Table>::AllColumns;

    fn construct_selection() -> Self::SelectExpression {
        activity_log::all_columns
    }
}

impl HasTable for ActivityLogRow {
    type Table = activity_log::table;

    fn table() -> Self::Table {
        activity_log::table
    }
}

impl<'row> Identifiable for &'row ActivityLogRow {
    type Id = &'row i64;

    fn id(self) -> Self::Id {
        &self.0.seq
    }
}

impl Queryable<activity_log::SqlType, Pg> for ActivityLogEntry {
    type Row = ActivityLogRow;

    fn build(row: ActivityLogRow) -> deserialize::Result<Self> {
        Ok(row.into_entry()?)
    }
}

impl Selectable<Pg> for ActivityLogEntry {
    type SelectExpression = <activity_log::table as Table>::AllColumns;

    fn construct_selection() -> Self::SelectExpression {
        activity_log::all_columns
    }
}

impl Row for ActivityLogRow {
    fn seq(&self) -> i64 {
        self.0.seq
    }

    fn text_bytes(&self) -> usize {
        self.0.text_bytes()
    }

    fn decode(self) -> Result<ActivityLogEntry> {
        self.0.into_entry()
    }
}
