//! The search index as an object of the database.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::error::Result;
use crate::sqlite::catalog::object::{Object, objects};

/// The tables in which FTS5 keeps the index.
const PARTS: [(&str, &str); 4] = [
    ("activity_log_search_data", "(id INTEGER PRIMARY KEY, block BLOB)"),
    ("activity_log_search_idx", "(segid, term, pgno, PRIMARY KEY (segid, term)) WITHOUT ROWID"),
    ("activity_log_search_docsize", "(id INTEGER PRIMARY KEY, sz BLOB, origin INTEGER)"),
    ("activity_log_search_config", "(k PRIMARY KEY, v) WITHOUT ROWID"),
];

/// Whether the index exists; something else may have its name.
pub(crate) fn is_enabled(conn: &mut SqliteConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(IS_ENABLED)).get_result(conn)
}

/// Whether the index exists and can forget a message, which FTS5 learned in SQLite 3.43. Otherwise it keeps those of deleted
/// rows, which is a matter of its size only.
pub(crate) fn can_delete(conn: &mut SqliteConnection) -> QueryResult<bool> {
    Ok(objects(conn)?
        .iter()
        .any(|object| object.has_name("activity_log_search") && object.definition.contains(CAN_DELETE)))
}

/// Whether the index is there with all its parts.
pub(crate) fn is_whole(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let objects = objects(conn)?;
    let exists = |name: &str, is_right: fn(&Object) -> bool| {
        objects.iter().any(|object| object.has_name(name) && object.kind == "table" && is_right(object))
    };
    Ok(exists("activity_log_search", |object| object.definition.contains(TOKENS))
        && PARTS.into_iter().all(|(name, _)| exists(name, |_| true)))
}

/// Whether more than a third of the index is of deleted rows, which it cannot forget.
pub(crate) fn is_bloated(conn: &mut SqliteConnection) -> QueryResult<bool> {
    Ok(!can_delete(conn)? && diesel::select(sql::<Bool>(MANY_ARE_DELETED)).get_result(conn)?)
}

/// Creates an empty index.
pub(crate) fn create_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    let create = |options| format!("CREATE VIRTUAL TABLE activity_log_search USING fts5(message, {TOKENS}{options})");
    match conn.batch_execute(&create(format!(", {CAN_DELETE}"))) {
        Err(error) if error.to_string().contains("contentless_delete") => conn.batch_execute(&create(String::new())),
        outcome => outcome,
    }
}

/// Refuses a database in which something else has the name of the index.
pub(crate) fn refuse_foreign_index(conn: &mut SqliteConnection) -> Result<()> {
    let is_foreign = |object: &Object| !object.definition.to_ascii_lowercase().contains("using fts5");
    match objects(conn)?.iter().find(|object| object.has_name("activity_log_search")) {
        Some(object) if is_foreign(object) => Err(object.takes_name_of("activity_log_search")),
        _ => Ok(()),
    }
}

/// Drops the index, or what is left of it.
pub(crate) fn drop_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    if is_enabled(conn)? {
        // FTS5 only drops what it can open.
        for (name, columns) in PARTS {
            conn.batch_execute(&format!("CREATE TABLE IF NOT EXISTS {name} {columns}"))?;
        }
        conn.batch_execute("INSERT OR IGNORE INTO activity_log_search_config VALUES ('version', 4)")?;
        conn.batch_execute("DROP TABLE activity_log_search")?;
    }
    PARTS.into_iter().try_for_each(|(name, _)| conn.batch_execute(&format!("DROP TABLE IF EXISTS {name}")))
}

const IS_ENABLED: &str = "EXISTS (SELECT 1 FROM sqlite_master \
    WHERE name = 'activity_log_search' AND instr(lower(sql), 'using fts5'))";

/// The messages themselves are in the log. Nothing but the numbers of their rows is wanted.
const TOKENS: &str = "content = '', tokenize = 'trigram', detail = 'none'";
const MANY_ARE_DELETED: &str = "(SELECT count(*) FROM activity_log_search_docsize) \
    > (SELECT count(*) FROM activity_log) * 3 / 2 + 4096";
const CAN_DELETE: &str = "contentless_delete = 1";
