//! What PostgreSQL's catalog says of a log, read without the crate.

use activity_log::Problem;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::database::{Connection, connect};
use crate::server::server;
use crate::support::TestResult;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The lines of text that a query returns in the column `line`.
pub(crate) fn lines(conn: &mut Connection, query: &str) -> TestResult<Vec<String>> {
    let lines = diesel::sql_query(query.to_owned()).load::<Line>(conn)?;
    Ok(lines.into_iter().map(|line| line.line).collect())
}

/// All relations in the first schema of the search path, the columns, constraints and indexes of its tables, and its
/// sequences, each as its definition without the name of the schema.
pub(crate) fn description(conn: &mut Connection) -> TestResult<Vec<String>> {
    lines(
        conn,
        "WITH own AS (SELECT * FROM pg_class WHERE relnamespace = current_schema()::regnamespace) \
         SELECT replace(line, quote_ident(current_schema()) || '.', '') AS line FROM ( \
             SELECT concat_ws(' ', relname, relkind, relpersistence, reloptions) AS line FROM own \
             UNION ALL SELECT concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), attcollation::regcollation, \
                 attnotnull, pg_get_expr(adbin, adrelid)) \
                 FROM own JOIN pg_attribute ON attrelid = own.oid AND attnum > 0 AND NOT attisdropped \
                 LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE relkind = 'r' \
             UNION ALL SELECT concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisready) \
                 FROM own JOIN pg_index ON indrelid = own.oid \
             UNION ALL SELECT concat_ws(' ', relname, conname, pg_get_constraintdef(pg_constraint.oid)) \
                 FROM own JOIN pg_constraint ON conrelid = own.oid \
             UNION ALL SELECT concat_ws(' ', relname, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle, ( \
                     SELECT concat_ws(' ', refobjid::regclass, refobjsubid, deptype) FROM pg_depend \
                     WHERE objid = own.oid AND classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass)) \
                 FROM own JOIN pg_sequence ON seqrelid = own.oid \
         ) AS described ORDER BY line",
    )
}

pub(crate) fn missing(kind: &str, name: &str) -> Problem {
    Problem::Missing { kind: kind.to_owned(), name: name.to_owned() }
}

pub(crate) fn different(kind: &str, name: &str) -> Problem {
    Problem::Different { kind: kind.to_owned(), name: name.to_owned() }
}

/// A role that may read the log and write to it, and nothing else. It is dropped with all that it owns.
pub(crate) struct Role(pub(crate) String);

impl Role {
    /// The connection keeps its user, who may take on the role by `SET ROLE`.
    pub(crate) fn create(conn: &mut Connection) -> TestResult<Self> {
        let [schema] = <[String; 1]>::try_from(lines(conn, "SELECT current_schema()::text AS line")?)
            .map_err(|_| "there is no schema")?;
        let role = format!("role_of_{schema}");
        conn.batch_execute(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}; \
             GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
        ))?;
        Ok(Self(role))
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        if let Ok(mut conn) = connect(&server()) {
            let _ = conn.batch_execute(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.0));
        }
    }
}
