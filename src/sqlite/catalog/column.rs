//! The columns of the log's tables.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

#[derive(Debug, QueryableByName)]
pub(crate) struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared_type: String,
    /// Its position in the primary key, counted from 1; 0 outside.
    #[diesel(sql_type = BigInt)]
    key_position: i64,
}

impl Column {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// The columns of a table, or of whatever else has its name; none if it does not exist.
pub(crate) fn columns_of(conn: &mut SqliteConnection, table: &str) -> QueryResult<Vec<Column>> {
    diesel::sql_query(COLUMNS).bind::<Text, _>(table).load(conn)
}

/// Whether another row with the same id is refused.
pub(crate) fn ids_are_unique(conn: &mut SqliteConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(HAS_UNIQUE_ID)).get_result(conn)
}

/// Whether one of these columns is not among the expected ones, as in a table that is not the log's.
pub(crate) fn are_foreign(columns: &[Column], expected: &[Column]) -> bool {
    let is_expected = |column: &Column| expected.iter().any(|other| other.name.eq_ignore_ascii_case(&column.name));
    !columns.iter().all(is_expected)
}

/// Why these columns cannot hold the log whose columns are `expected`; `None` if they can.
pub(crate) fn misfit(columns: &[Column], expected: &[Column]) -> Option<String> {
    let found = |name: &str| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let missing = expected.iter().map(|column| column.name.as_str()).filter(|name| found(name).is_none());
    let missing = missing.map(|name| format!("`{name}`")).collect::<Vec<_>>();
    if !missing.is_empty() {
        return Some(format!("it lacks {}", missing.join(", ")));
    }
    // Only this makes SQLite number the rows.
    let numbers_rows = |column: &Column| {
        column.declared_type.eq_ignore_ascii_case("INTEGER")
            && column.key_position == 1
            && columns.iter().all(|column| column.key_position <= 1)
    };
    (!found("seq").is_some_and(numbers_rows)).then(|| "its `seq` is not an INTEGER PRIMARY KEY".to_owned())
}

const COLUMNS: &str = "SELECT name, type AS declared_type, pk AS key_position FROM pragma_table_info(?1, 'main')";

const HAS_UNIQUE_ID: &str = "EXISTS (SELECT 1 FROM pragma_index_list('activity_log', 'main') AS list \
    WHERE list.\"unique\" AND NOT list.partial \
        AND (SELECT group_concat(lower(info.name)) FROM pragma_index_info(list.name, 'main') AS info) = 'id')";
