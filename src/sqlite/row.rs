//! The rows that are read.

use diesel::associations::HasTable;
use diesel::deserialize::{self, FromStaticSqlRow};
use diesel::prelude::*;
use diesel::row::Row as DatabaseRow;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;

use crate::error::Result;
use crate::model::entry::ActivityLogEntry;
use crate::model::stored_row::StoredRow;
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

/// Reads all columns in the order of the table. It is written by hand because a column that should not be NULL may be
/// NULL, and because a text may have to be read in two ways.
impl FromStaticSqlRow<activity_log::SqlType, Sqlite> for ActivityLogRow {
    fn build_from_row<'a>(row: &impl DatabaseRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self(StoredRow {
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
        }))
    }
}

impl Queryable<activity_log::SqlType, Sqlite> for ActivityLogRow {
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

impl Selectable<Sqlite> for ActivityLogRow {
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
        self.0.seq
    }

    fn text_bytes(&self) -> usize {
        self.0.text_bytes()
    }

    fn decode(self) -> Result<ActivityLogEntry> {
        self.0.into_entry()
    }
}
