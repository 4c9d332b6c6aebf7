//! The columns, constraints and indexes of a table, as PostgreSQL's catalog describes them.

use diesel::prelude::QueryResult;
use diesel::sql_types::{Bool, Text};

use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// A column, a constraint or an index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    /// `column`, `constraint` or `index`.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// As in a statement that creates it, without the names of schemas.
    pub(crate) definition: String,
    /// Whether it covers all rows: an index that was not built to the end, or a constraint that was never validated, does not.
    pub(crate) is_valid: bool,
}

impl Object {
    pub(crate) fn is_named_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name
    }

    /// The type of a column, with which its definition begins.
    pub(crate) fn column_type(&self) -> &str {
        self.definition.split_once(';').map_or(&self.definition, |(column_type, _)| column_type)
    }
}

/// All objects of the table that a name, as SQL has it, stands for; none if there is no such table.
pub(crate) async fn objects(conn: &mut impl Execute, table: &str) -> QueryResult<Vec<Object>> {
    let objects = Sql::new("WITH log AS (SELECT to_regclass(").bind(table).text(OBJECTS);
    let objects = conn.load::<(String, String, String, bool), _>(objects.returning::<(Text, Text, Text, Bool)>());
    let objects = objects.await?.into_iter();
    Ok(objects.map(|(kind, name, definition, is_valid)| Object { kind, name, definition, is_valid }).collect())
}

/// The rest of the statement.
const OBJECTS: &str = include_str!("objects.sql");
