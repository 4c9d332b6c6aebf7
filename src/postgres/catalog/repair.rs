//! Puts back what is missing of the log.

use diesel::prelude::QueryResult;
use diesel::result::DatabaseErrorKind::CheckViolation;
use diesel::result::Error::DatabaseError;
use diesel::sql_types::{Bool, Text};

use crate::error::Result;
use crate::postgres::catalog::difference::{Difference, DifferenceKind};
use crate::postgres::catalog::object::Object;
use crate::postgres::execute::Execute;
use crate::postgres::savepoint::attempt;
use crate::postgres::statement::Sql;

/// Whether [`put_right`] does anything about a difference. A column is the host's to change, and so are a primary key that
/// is there and a constraint that rows of another program violate.
pub(crate) fn can_be_put_right(difference: &Difference) -> bool {
    let Difference { expected: Object { kind, definition, .. }, kind: difference } = difference;
    match (kind.as_str(), difference) {
        ("index", _) | ("constraint", DifferenceKind::Missing) => true,
        ("constraint", DifferenceKind::Different) => definition.starts_with("CHECK"),
        _ => false,
    }
}

/// Makes the log's table, which the search path finds first, what the log expects. The caller is in a transaction.
pub(crate) async fn put_right(conn: &mut impl Execute, differences: &[Difference]) -> Result<()> {
    for difference in differences.iter().filter(|difference| can_be_put_right(difference)) {
        let Object { kind, name, definition, .. } = &difference.expected;
        let is_missing = difference.kind == DifferenceKind::Missing;
        if kind == "index" {
            if difference.kind == DifferenceKind::Invalid && is_being_built(conn).await? {
                continue;
            }
            if !is_missing {
                conn.batch(&format!("DROP INDEX {name}")).await?;
            }
            let (unique, definition) = match definition.strip_prefix("UNIQUE ") {
                Some(rest) => ("UNIQUE ", rest),
                None => ("", definition.as_str()),
            };
            conn.batch(&format!("CREATE {unique}INDEX {name} ON activity_log {definition}")).await?;
            continue;
        }
        if !is_missing {
            conn.batch(&format!("ALTER TABLE activity_log DROP CONSTRAINT {name}")).await?;
        }
        let is_check = definition.starts_with("CHECK");
        let not_valid = if is_check { " NOT VALID" } else { "" };
        conn.batch(&format!("ALTER TABLE activity_log ADD CONSTRAINT {name} {definition}{not_valid}")).await?;
        if is_check {
            let validate = Sql::new(format!("ALTER TABLE activity_log VALIDATE CONSTRAINT {name}"));
            match attempt(conn, true, validate.returning()).await {
                // What another program has written meanwhile stays. New rows are checked.
                Err(DatabaseError(CheckViolation, _)) => {}
                outcome => {
                    outcome?;
                }
            }
        }
    }
    Ok(())
}

/// Whether another connection may be building an index concurrently. Dropping that index would wait for it.
pub(crate) async fn is_being_built(conn: &mut impl Execute) -> QueryResult<bool> {
    let is_being_built = Sql::new(
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND relation = 'activity_log'::regclass \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND mode = 'ShareUpdateExclusiveLock' AND pid IS DISTINCT FROM pg_backend_pid())",
    );
    conn.one::<bool, _>(is_being_built.returning::<Bool>()).await
}

/// Why the connection's role may not create or change the log in a schema; `None` if it may.
pub(crate) async fn obstacle(conn: &mut impl Execute, schema: &str, has_table: bool) -> QueryResult<Option<String>> {
    let may = Sql::new("SELECT has_schema_privilege(").bind(schema.to_owned()).text(", 'CREATE'), ");
    let may = may.text(if has_table { IS_OWNER } else { "TRUE" }).text(", current_user::text");
    let (may_create, is_owner, role) =
        conn.one::<(bool, bool, String), _>(may.returning::<(Bool, Bool, Text)>()).await?;
    Ok(if !may_create {
        Some(format!("the role `{role}` may not create anything in the schema `{schema}`; grant it CREATE there"))
    } else if !is_owner {
        Some(format!("the role `{role}` does not own the table; let its owner run the migrations"))
    } else {
        None
    })
}

const IS_OWNER: &str = "(SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'activity_log'::regclass)";
