//! Which rows the host's own tables and triggers hold back from deletion.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::ForeignKeyViolation;
use diesel::result::Error::DatabaseError;
use diesel::sql_types::{Bool, Text};

use crate::sqlite::pragma::enforces_foreign_keys;

#[derive(QueryableByName)]
struct ForeignKey {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    child_column: String,
    #[diesel(sql_type = Text)]
    target: String,
}

/// A condition for the rows whose deletion no foreign key forbids. It leaves out keys of several columns and keys of
/// the log itself.
pub(crate) fn unreferenced(conn: &mut SqliteConnection) -> QueryResult<String> {
    if !enforces_foreign_keys(conn)? {
        return Ok("TRUE".to_owned());
    }
    let keys = diesel::sql_query(FOREIGN_KEYS).load::<ForeignKey>(conn)?;
    let conditions = keys.iter().map(|ForeignKey { child, child_column, target }| {
        let [child, child_column, target] = [child, child_column, target].map(|name| quoted(name));
        format!(
            "NOT EXISTS (SELECT 1 FROM main.{child} AS referring WHERE referring.{child_column} = activity_log.{target})"
        )
    });
    Ok(["TRUE".to_owned()].into_iter().chain(conditions).collect::<Vec<_>>().join(" AND "))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether a deletion failed because a row is held back: by a foreign key, or by a trigger that raises this error.
pub(crate) fn holds_back(conn: &mut SqliteConnection, error: &diesel::result::Error) -> QueryResult<bool> {
    let DatabaseError(kind, information) = error else { return Ok(false) };
    if matches!(kind, ForeignKeyViolation) {
        return Ok(true);
    }
    let literal = format!("'{}'", information.message().replace('\'', "''"));
    let is_raised = sql::<Bool>(TRIGGER_HAS).bind::<Text, _>(literal).sql("))");
    diesel::select(is_raised).get_result(conn)
}

/// Whether a foreign key or a trigger of the host's may hold rows back.
pub(crate) fn may_hold_back(conn: &mut SqliteConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(HAS_HOSTS_TRIGGER_OR_KEY)).get_result(conn)
}

const FOREIGN_KEYS: &str = "SELECT child.name AS child, key.\"from\" AS child_column, coalesce(key.\"to\", 'seq') AS target \
    FROM sqlite_master AS child, pragma_foreign_key_list(child.name, 'main') AS key \
    WHERE child.type = 'table' AND child.name <> 'activity_log' COLLATE NOCASE \
        AND key.\"table\" = 'activity_log' COLLATE NOCASE AND key.on_delete IN ('NO ACTION', 'RESTRICT') \
    GROUP BY child.name, key.id HAVING count(*) = 1";

const TRIGGER_HAS: &str = "EXISTS (SELECT 1 FROM sqlite_master \
    WHERE type = 'trigger' AND tbl_name = 'activity_log' COLLATE NOCASE AND instr(sql, ";

/// The log's own triggers only mark its summaries. Here, a key may have several columns.
const HAS_HOSTS_TRIGGER_OR_KEY: &str = "EXISTS (SELECT 1 FROM sqlite_master \
    WHERE type = 'trigger' AND tbl_name = 'activity_log' COLLATE NOCASE \
        AND name NOT LIKE 'activity\\_log\\_segments\\_%' ESCAPE '\\') \
    OR EXISTS (SELECT 1 FROM sqlite_master AS child, pragma_foreign_key_list(child.name, 'main') AS key \
    WHERE child.type = 'table' AND child.name <> 'activity_log' COLLATE NOCASE \
        AND key.\"table\" = 'activity_log' COLLATE NOCASE)";
