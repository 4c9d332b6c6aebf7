//! Tables, indexes and triggers, as SQLite's catalog lists them.

use diesel::connection::SimpleConnection;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::error::{Error, Result};

diesel::table! {
    /// SQLite's table of all tables, indexes and triggers, by the name that older versions know as well.
    sqlite_master (name) {
        #[sql_name = "type"]
        kind -> Text,
        name -> Text,
        tbl_name -> Text,
        sql -> Nullable<Text>,
    }
}

/// A table, an index, a trigger or a view.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub(crate) struct Object {
    /// `table`, `index`, `trigger` or `view`.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The table that it belongs to; a table belongs to itself.
    pub(crate) table: String,
    /// The statement that creates it.
    pub(crate) definition: String,
}

/// The objects that were created by a statement, in the order of their creation.
pub(crate) fn objects(conn: &mut SqliteConnection) -> QueryResult<Vec<Object>> {
    use sqlite_master::{kind, name, sql as definition, table, tbl_name};

    table
        .filter(definition.is_not_null())
        .select((kind, name, tbl_name, definition.assume_not_null()))
        .order(sql::<Text>("rowid"))
        .load(conn)
}

/// Whether the database has a table, an index or a trigger of this name.
pub(crate) fn object_exists(conn: &mut SqliteConnection, name: &str) -> QueryResult<bool> {
    diesel::select(exists(sqlite_master::table.filter(sqlite_master::name.eq(name)))).get_result(conn)
}

/// Does `work` while a trigger, if it exists, is dropped. The caller is in a transaction.
pub(crate) fn without_trigger<T>(
    conn: &mut SqliteConnection,
    name: &str,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let definition = sqlite_master::table.filter(sqlite_master::name.eq(name)).select(sqlite_master::sql);
    let Some(definition) = definition.get_result::<Option<String>>(conn).optional()?.flatten() else {
        return work(conn);
    };
    conn.batch_execute(&format!("DROP TRIGGER {name}"))?;
    let value = work(conn)?;
    conn.batch_execute(&definition)?;
    Ok(value)
}

impl Object {
    /// Whether it stands for the same, whatever name its table had before a renaming, which quotes the new one.
    pub(crate) fn is_defined_like(&self, other: &Self) -> bool {
        significant(&self.definition).eq(significant(&other.definition))
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether the table never gives a number again.
    pub(crate) fn numbers_grow(&self) -> bool {
        self.definition.to_ascii_lowercase().contains("autoincrement")
    }

    /// The error that it has a name that one of the log's tables needs.
    pub(crate) fn takes_name_of(&self, table: &str) -> Error {
        Error::NameTaken {
            kind: self.kind.clone(),
            name: self.name.clone(),
            table: self.table.clone(),
            needed_for: table.to_owned(),
        }
    }

    /// Whether it is the same kind of object and of the same table.
    pub(crate) fn is_in_place_of(&self, other: &Self) -> bool {
        self.kind == other.kind && self.table.eq_ignore_ascii_case(&other.table)
    }
}

/// A statement without its quotation marks and white space, in lower case.
fn significant(definition: &str) -> impl Iterator<Item = char> {
    let quotes = ['"', '`', '[', ']'];
    definition
        .chars()
        .filter(move |character| !character.is_whitespace() && !quotes.contains(character))
        .map(|character| character.to_ascii_lowercase())
}
