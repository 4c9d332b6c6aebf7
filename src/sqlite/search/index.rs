//! The search index as an object of the database.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::error::Result;
use crate::sqlite::catalog::column::columns_of;
use crate::sqlite::catalog::object::{Object, objects, sqlite_master};

/// A table in which FTS5 keeps the index.
struct Part {
    name: &'static str,
    columns: &'static [&'static str],
    definition: &'static str,
}

const PARTS: [Part; 4] = [
    Part {
        name: "activity_log_search_data",
        columns: &["id", "block"],
        definition: "(id INTEGER PRIMARY KEY, block BLOB)",
    },
    Part {
        name: "activity_log_search_idx",
        columns: &["segid", "term", "pgno"],
        definition: "(segid, term, pgno, PRIMARY KEY (segid, term)) WITHOUT ROWID",
    },
    Part {
        name: "activity_log_search_docsize",
        columns: &["id", "sz", "origin"],
        definition: "(id INTEGER PRIMARY KEY, sz BLOB, origin INTEGER)",
    },
    Part { name: "activity_log_search_config", columns: &["k", "v"], definition: "(k PRIMARY KEY, v) WITHOUT ROWID" },
];

/// Whether the index exists; something else may have its name.
pub(crate) fn is_enabled(conn: &mut SqliteConnection) -> QueryResult<bool> {
    is_defined_with(conn, TOKENS)
}

/// Whether the index exists and can forget a message, which FTS5 learned in SQLite 3.43. Otherwise it keeps those of deleted
/// rows, which is a matter of its size only.
pub(crate) fn can_delete(conn: &mut SqliteConnection) -> QueryResult<bool> {
    is_defined_with(conn, CAN_DELETE)
}

fn is_defined_with(conn: &mut SqliteConnection, options: &str) -> QueryResult<bool> {
    use sqlite_master::{kind, name, sql as definition, table};

    let index = table.filter(kind.eq("table")).filter(name.eq("activity_log_search")).select(definition);
    let index = index.get_result::<Option<String>>(conn).optional()?.flatten();
    Ok(index.is_some_and(|index| index.contains(options)))
}

/// Whether the index is there with all its parts. FTS5 fails without one, if only when the transaction commits.
pub(crate) fn is_whole(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let parts = sqlite_master::table.filter(sqlite_master::name.eq_any(PARTS.map(|part| part.name)));
    Ok(is_enabled(conn)? && parts.count().get_result::<i64>(conn)? == PARTS.len() as i64)
}

/// Whether more than a third of the index is of deleted rows, which it cannot forget.
pub(crate) fn is_bloated(conn: &mut SqliteConnection) -> QueryResult<bool> {
    Ok(!can_delete(conn)? && diesel::select(sql::<Bool>(MANY_ARE_DELETED)).get_result(conn)?)
}

/// Refuses a database in which something of the host's has the name of the index or of one of its parts.
pub(crate) fn refuse_foreign_index(conn: &mut SqliteConnection) -> Result<()> {
    for object in objects(conn)? {
        let is_foreign = if object.has_name("activity_log_search") {
            !object.definition.contains(TOKENS)
        } else {
            is_foreign_part(conn, &object)?
        };
        if is_foreign {
            return Err(object.takes_name_of("activity_log_search"));
        }
    }
    Ok(())
}

fn is_foreign_part(conn: &mut SqliteConnection, object: &Object) -> QueryResult<bool> {
    let Some(part) = PARTS.iter().find(|part| object.has_name(part.name)) else { return Ok(false) };
    let columns = columns_of(conn, part.name)?;
    Ok(object.kind != "table" || columns.iter().any(|column| !part.columns.contains(&column.name())))
}

/// Creates an empty index.
pub(crate) fn create_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    let create = |options| format!("CREATE VIRTUAL TABLE activity_log_search USING fts5(message, {TOKENS}{options})");
    match conn.batch_execute(&create(format!(", {CAN_DELETE}"))) {
        Err(error) if error.to_string().contains("contentless_delete") => conn.batch_execute(&create(String::new())),
        outcome => outcome,
    }
}

/// Drops the index, or what is left of it. The caller has [refused](refuse_foreign_index) what is not the log's.
pub(crate) fn drop_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    if is_enabled(conn)? {
        // FTS5 only drops what it can open.
        for Part { name, definition, .. } in PARTS {
            conn.batch_execute(&format!("CREATE TABLE IF NOT EXISTS {name} {definition}"))?;
        }
        conn.batch_execute(EMPTY_INDEX)?;
        conn.batch_execute("DROP TABLE activity_log_search")?;
    }
    PARTS.into_iter().try_for_each(|part| conn.batch_execute(&format!("DROP TABLE IF EXISTS {}", part.name)))
}

/// The messages themselves are in the log. Nothing but the numbers of their rows is wanted.
const TOKENS: &str = "content = '', tokenize = 'trigram', detail = 'none'";
const CAN_DELETE: &str = "contentless_delete = 1";

/// What FTS5 expects in the tables of an empty index.
const EMPTY_INDEX: &str = "INSERT OR IGNORE INTO activity_log_search_config VALUES ('version', 4); \
    INSERT OR IGNORE INTO activity_log_search_data VALUES (1, x''), (10, x'00000000000000')";

const MANY_ARE_DELETED: &str = "(SELECT count(*) FROM activity_log_search_docsize) \
    > (SELECT count(*) FROM activity_log) * 3 / 2 + 4096";
