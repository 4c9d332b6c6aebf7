//! The rows that are read.

use chrono::{DateTime, ParseResult, Utc};
use diesel::deserialize::{self, FromStaticSqlRow};
use diesel::prelude::*;
use diesel::row::Row as DatabaseRow;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::entry::ActivityLogEntry;
use crate::model::metadata;
use crate::model::severity::{ActivitySeverity, ParseSeverityError};
use crate::schema::activity_log;
use crate::sqlite::stored_text::{read_as, read_text};
use crate::store::batch::Row;

/// A row as it is stored, for queries of the host's own that must not fail because of one row.
///
/// Loading never fails because of a row's values. Only [`into_entry`](Self::into_entry) fails, and only for a row that
/// another program wrote and that cannot be read as an entry. A query that loads [`ActivityLogEntry`] directly fails as
/// a whole at such a row.
///
/// ```
/// use activity_log::schema::activity_log as log;
/// use activity_log::{ActivityLogRepository, ActivityLogRow, NewActivityLogEntry};
/// use diesel::prelude::*;
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// let message = "Alice signed in";
/// ActivityLogRepository::new(&mut conn).record(&NewActivityLogEntry::new("auth", "signed_in", "alice", message))?;
///
/// let rows = log::table.filter(log::action.eq("signed_in")).select(ActivityLogRow::as_select()).load(&mut conn)?;
/// for row in rows {
///     match row.into_entry() {
///         Ok(entry) => assert_eq!(entry.message, message),
///         Err(error) => eprintln!("skipped: {error}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Identifiable, Selectable)]
#[diesel(table_name = activity_log, primary_key(seq))]
pub struct ActivityLogRow {
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

impl ActivityLogRow {
    /// The row's `seq`, whether or not the row can be read as an entry.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// The entry in the row.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] if the row does not hold one, with the row's `seq` and the column.
    pub fn into_entry(self) -> Result<ActivityLogEntry> {
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

/// Reads all columns in the order of the table. It is written by hand because a column that should not be NULL may be
/// NULL, and because a text may have to be read in two ways.
impl FromStaticSqlRow<activity_log::SqlType, Sqlite> for ActivityLogRow {
    fn build_from_row<'a>(row: &impl DatabaseRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            // A left join without a match has no `seq`; Diesel turns the error into `None`.
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

impl Queryable<activity_log::SqlType, Sqlite> for ActivityLogRow {
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

impl Queryable<activity_log::SqlType, Sqlite> for ActivityLogEntry {
    type Row = ActivityLogRow;

    fn build(row: ActivityLogRow) -> deserialize::Result<Self> {
        Ok(row.into_entry()?)
    }
}

impl Selectable<Sqlite> for ActivityLogEntry {
    type SelectExpression = <activity_log::table as Table>::AllColumns;

    fn construct_selection() -> Self::SelectExpression {
        activity_log::all_columns
    }
}

impl Row for ActivityLogRow {
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
        self.into_entry()
    }
}
