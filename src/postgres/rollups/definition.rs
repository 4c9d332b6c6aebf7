//! What the rollups consist of, in the log's schema.

use diesel::prelude::QueryResult;
use diesel::sql_types::Text;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// The tables, each with its columns as [`Condition`](super::condition) describes them.
pub(crate) const TABLES: [(&str, &str); 4] = [
    (
        "activity_log_rollup_blocks",
        "block bigint, entries bigint, min_ts timestamp with time zone, max_ts timestamp with time zone",
    ),
    ("activity_log_rollup_marks", "block bigint"),
    ("activity_log_rollup_progress", "through bigint, decided bigint, pending bigint, writers text[]"),
    (
        "activity_log_rollups",
        "block bigint, level smallint, actor text, action text, category text, severity text, entity_type text, entries bigint",
    ),
];

pub(crate) const BOUNDARY: &str = "activity_log_rollup_boundary";
pub(crate) const FUNCTION: &str = "activity_log_rollup_mark";

/// The triggers, each with the `tgtype` that stands for its event and for rows or statements.
pub(crate) const TRIGGERS: [(&str, i16); 4] = [
    ("activity_log_rollup_delete", 8),
    ("activity_log_rollup_insert", 1 | 4),
    ("activity_log_rollup_truncate", 32),
    ("activity_log_rollup_update", 16),
];

/// What the trigger function does. It finds the marks in the schema of its table, which may be renamed. It must not fail
/// where they are missing: nobody reads rollups there.
pub(crate) const FUNCTION_BODY: &str = "
DECLARE
    marks regclass := to_regclass(format('%I.activity_log_rollup_marks', TG_TABLE_SCHEMA));
BEGIN
    IF marks IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format('INSERT INTO %s VALUES ($1)', marks) USING NEW.seq >> 14;
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format('INSERT INTO %s SELECT DISTINCT seq >> 14 FROM old_rows', marks);
    ELSIF TG_OP = 'UPDATE' THEN
        EXECUTE format('INSERT INTO %s SELECT seq >> 14 FROM old_rows UNION SELECT seq >> 14 FROM new_rows', marks);
    ELSE
        EXECUTE format('INSERT INTO %s VALUES (NULL)', marks);
    END IF;
    RETURN NULL;
END
";

/// The schema of the log as SQL has its name, and its boundary as an SQL literal.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) schema: String,
    boundary: String,
}

impl Names {
    pub(crate) async fn of_schema(conn: &mut impl Execute, schema: &str) -> QueryResult<Self> {
        let names = Sql::new("SELECT quote_ident(schema), quote_literal(format('%I.%I', schema, ").bind(BOUNDARY);
        let names = names.text("::text)) FROM (SELECT ").bind(schema.to_owned()).text("::text AS schema) AS log");
        let (schema, boundary) = conn.one::<(String, String), _>(names.returning::<(Text, Text)>()).await?;
        Ok(Self { schema, boundary })
    }

    /// Creates everything. The boundary is readable for all roles that record: it tells them only a number.
    ///
    /// A database may publish all its tables. It then refuses to delete from one without a replica identity.
    ///
    /// The triggers fire in sessions that replay changes too. A restore that disables and enables all triggers leaves them in
    /// another state, so that [`access`](super::access) and `check` notice.
    pub(crate) fn create(&self) -> String {
        let Self { schema, boundary } = self;
        format!(
            "CREATE TABLE {schema}.activity_log_rollup_blocks ( \
                block bigint NOT NULL CONSTRAINT activity_log_rollup_blocks_pkey PRIMARY KEY, \
                entries bigint NOT NULL, min_ts timestamptz NOT NULL, max_ts timestamptz NOT NULL); \
            CREATE TABLE {schema}.activity_log_rollups ( \
                block bigint NOT NULL, level smallint NOT NULL, actor text COLLATE \"C\", action text COLLATE \"C\", \
                category text COLLATE \"C\", severity text COLLATE \"C\", entity_type text COLLATE \"C\", \
                entries bigint NOT NULL); \
            CREATE INDEX activity_log_rollups_block ON {schema}.activity_log_rollups (block, level, actor); \
            CREATE TABLE {schema}.activity_log_rollup_marks (block bigint); \
            CREATE INDEX activity_log_rollup_marks_block ON {schema}.activity_log_rollup_marks (block); \
            CREATE TABLE {schema}.activity_log_rollup_progress (through bigint, decided bigint, pending bigint, \
                writers text[]); \
            INSERT INTO {schema}.activity_log_rollup_progress DEFAULT VALUES; \
            {} CREATE SEQUENCE {schema}.{BOUNDARY} MINVALUE -9223372036854775808; \
            GRANT SELECT ON SEQUENCE {schema}.{BOUNDARY} TO PUBLIC; \
            CREATE FUNCTION {schema}.{FUNCTION}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
                SET search_path = pg_catalog, pg_temp AS $activity_log${FUNCTION_BODY}$activity_log$; \
            REVOKE EXECUTE ON FUNCTION {schema}.{FUNCTION}() FROM PUBLIC; \
            CREATE TRIGGER activity_log_rollup_insert AFTER INSERT ON {schema}.activity_log FOR EACH ROW WHEN (CASE \
                WHEN pg_catalog.has_sequence_privilege({boundary}::regclass, 'SELECT') \
                    THEN NEW.seq <= pg_catalog.pg_sequence_last_value({boundary}::regclass) \
                ELSE TRUE END) EXECUTE FUNCTION {schema}.{FUNCTION}(); \
            CREATE TRIGGER activity_log_rollup_delete AFTER DELETE ON {schema}.activity_log \
                REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION {schema}.{FUNCTION}(); \
            CREATE TRIGGER activity_log_rollup_update AFTER UPDATE ON {schema}.activity_log \
                REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT \
                EXECUTE FUNCTION {schema}.{FUNCTION}(); \
            CREATE TRIGGER activity_log_rollup_truncate AFTER TRUNCATE ON {schema}.activity_log FOR EACH STATEMENT \
                EXECUTE FUNCTION {schema}.{FUNCTION}(); \
            {}",
            TABLES.map(|(table, _)| format!("ALTER TABLE {schema}.{table} REPLICA IDENTITY FULL;")).concat(),
            self.each_trigger("ALTER TABLE {schema}.activity_log ENABLE ALWAYS TRIGGER {trigger};")
        )
    }

    /// Drops everything that is there.
    pub(crate) fn drop(&self) -> String {
        let Self { schema, .. } = self;
        let tables = TABLES.map(|(table, _)| format!("DROP TABLE IF EXISTS {schema}.{table};")).concat();
        format!(
            "{} DROP FUNCTION IF EXISTS {schema}.{FUNCTION}(); DROP SEQUENCE IF EXISTS {schema}.{BOUNDARY}; {tables}",
            self.each_trigger("DROP TRIGGER IF EXISTS {trigger} ON {schema}.activity_log;")
        )
    }

    fn each_trigger(&self, statement: &str) -> String {
        let statement = statement.replace("{schema}", &self.schema);
        TRIGGERS.map(|(trigger, _)| statement.replace("{trigger}", trigger)).concat()
    }
}
