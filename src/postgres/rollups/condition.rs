//! Whether the rollups are there and whole.

use diesel::prelude::QueryResult;
use diesel::sql_types::{Nullable, Text};

use crate::error::{Error, Result};
use crate::model::problem::Problem;
use crate::postgres::execute::Execute;
use crate::postgres::rollups::definition::{BOUNDARY, FUNCTION, FUNCTION_BODY, TABLES, TRIGGERS};
use crate::postgres::statement::Sql;

/// What of the rollups a schema has.
#[derive(Debug)]
pub(crate) struct Condition {
    found: Vec<Object>,
}

/// An object with the name of one of the rollups'.
#[derive(Debug)]
struct Object {
    kind: String,
    name: String,
    definition: String,
}

impl Condition {
    /// # Errors
    ///
    /// [`Error::NameTaken`] if something that is no rollup has a name that the rollups need.
    pub(crate) async fn find(conn: &mut impl Execute, schema: &str) -> Result<Self> {
        let condition = Self { found: objects(conn, schema).await? };
        for object in &condition.found {
            let is_taken = match TABLES.iter().find(|(name, _)| *name == object.name) {
                Some((_, columns)) => object.kind != "table" || object.definition != *columns,
                None => object.name == BOUNDARY && object.kind != "sequence",
            };
            if is_taken && object.kind != "trigger" && object.kind != "function" {
                let (kind, name) = (object.kind.clone(), object.name.clone());
                return Err(Error::NameTaken {
                    kind,
                    table: name.clone(),
                    name,
                    needed_for: "activity_log".to_owned(),
                });
            }
        }
        Ok(condition)
    }

    /// Whether nothing is there.
    pub(crate) fn is_absent(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.problems().next().is_none()
    }

    /// What is missing or different.
    pub(crate) fn problems(&self) -> impl Iterator<Item = Problem> {
        let tables = TABLES.map(|(name, _)| ("table", name, None));
        let triggers = TRIGGERS.map(|(name, event)| ("trigger", name, Some(format!("{event} A {FUNCTION}"))));
        let others = [("function", FUNCTION, Some(FUNCTION_BODY.to_owned())), ("sequence", BOUNDARY, None)];
        tables.into_iter().chain(triggers).chain(others).filter_map(|(kind, name, definition)| {
            let found = self.found.iter().find(|object| object.kind == kind && object.name == name);
            let (kind, name) = (kind.to_owned(), name.to_owned());
            match (found, definition) {
                (None, _) => Some(Problem::Missing { kind, name }),
                (Some(found), Some(definition)) if found.definition != definition => {
                    Some(Problem::Different { kind, name })
                }
                _ => None,
            }
        })
    }
}

async fn objects(conn: &mut impl Execute, schema: &str) -> QueryResult<Vec<Object>> {
    let objects =
        Sql::new(OBJECTS).bind(schema.to_owned()).text(OBJECTS_END).returning::<(Text, Text, Nullable<Text>)>();
    let objects = conn.load::<(String, String, Option<String>), _>(objects).await?;
    let object = |(kind, name, definition): (String, String, Option<String>)| Object {
        kind,
        name,
        definition: definition.unwrap_or_default(),
    };
    Ok(objects.into_iter().map(object).collect())
}

const OBJECTS: &str = "\
    WITH log AS (SELECT pg_class.oid, relnamespace FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE relname = 'activity_log' AND nspname = ";
const OBJECTS_END: &str = ") \
    SELECT CASE own.relkind WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'i' THEN 'index' \
            WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' \
            ELSE 'partitioned table' END, \
        own.relname::text, \
        (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) \
            FROM pg_attribute WHERE attrelid = own.oid AND attnum > 0 AND NOT attisdropped) \
    FROM log JOIN pg_class AS own USING (relnamespace) \
    WHERE own.relname IN ('activity_log_rollup_blocks', 'activity_log_rollup_marks', 'activity_log_rollup_progress', \
        'activity_log_rollups', 'activity_log_rollup_boundary') \
    UNION ALL \
    SELECT 'function', proname::text, CASE WHEN prosecdef THEN prosrc END \
    FROM log JOIN pg_proc ON pronamespace = relnamespace AND proname = 'activity_log_rollup_mark' AND pronargs = 0 \
    UNION ALL \
    SELECT 'trigger', tgname::text, format('%s %s %s', tgtype, tgenabled, proname) \
    FROM log JOIN pg_trigger ON tgrelid = log.oid JOIN pg_proc ON pg_proc.oid = tgfoid \
    WHERE tgname IN ('activity_log_rollup_delete', 'activity_log_rollup_insert', 'activity_log_rollup_truncate', \
        'activity_log_rollup_update')";
