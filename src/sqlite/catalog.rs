//! What the database consists of.

use diesel::connection::SimpleConnection;
use diesel::dsl::exists;
use diesel::prelude::*;

use crate::error::Result;

diesel::table! {
    /// SQLite's table of all tables, indexes and triggers, by the name that older versions know as well.
    sqlite_master (name) {
        name -> Text,
        sql -> Nullable<Text>,
    }
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
