//! How a database differs from what belongs to the log.

use diesel::prelude::QueryResult;
use diesel::sql_types::Text;

use crate::error::{Error, Result};
use crate::postgres::catalog::expected::Expected;
use crate::postgres::catalog::object::Object;
use crate::postgres::catalog::place::{Place, Table};
use crate::postgres::execute::Execute;
use crate::postgres::statement::{Bind, Sql};

/// An object of the log that is missing or not as it should be.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) expected: Object,
    pub(crate) kind: DifferenceKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum DifferenceKind {
    Missing,
    /// It has another definition.
    Different,
    /// It has the right definition but does not cover all rows.
    Invalid,
}

/// What of the log is missing or different among these objects of its table.
pub(crate) fn differences(expected: &Expected, objects: &[Object]) -> Vec<Difference> {
    let differences = expected.objects.iter().filter_map(|wanted| {
        let kind = match objects.iter().find(|object| object.is_named_like(wanted)) {
            None => DifferenceKind::Missing,
            Some(found) if found.definition != wanted.definition => DifferenceKind::Different,
            Some(found) if !found.is_valid => DifferenceKind::Invalid,
            Some(_) => return None,
        };
        Some(Difference { expected: wanted.clone(), kind })
    });
    differences.collect()
}

/// Takes a table in another schema than the first one for the log only if it can be one. Before the first migration it may be
/// any table of the host's, and the log has its place in the first schema.
pub(crate) fn overlook_other_tables(place: &mut Place, expected: &Expected) {
    let is_other =
        |table: &Table| place.first_schema.as_ref() != Some(&table.schema) && expected.misfit(table).is_some();
    if place.table.as_ref().is_some_and(is_other) {
        place.table = None;
    }
}

/// Refuses a database in which the log has no place: `activity_log` is not a log, or another table has a name that the log
/// needs in its schema.
pub(crate) async fn refuse_foreign_objects(conn: &mut impl Execute, place: &Place, expected: &Expected) -> Result<()> {
    if let Some(reason) = place.table.as_ref().and_then(|table| expected.misfit(table)) {
        return Err(Error::ForeignTable { reason });
    }
    let Some(schema) = place.schema() else { return Ok(()) };
    let mut names = expected.names().collect::<Vec<_>>();
    if place.table.is_none() {
        names.extend(["activity_log", "activity_log_seq_seq"]);
    }
    refuse_taken_names(conn, schema, &names).await
}

/// Refuses a schema in which an object that is not the log's has one of these names.
pub(crate) async fn refuse_taken_names(conn: &mut impl Execute, schema: &str, names: &[&str]) -> Result<()> {
    match taken(conn, schema, names).await? {
        Some((kind, name, table)) => Err(Error::NameTaken { kind, name, table, needed_for: "activity_log".to_owned() }),
        None => Ok(()),
    }
}

/// The kind, the name and the table of an object in the schema that has one of these names and is not the log's.
async fn taken(conn: &mut impl Execute, schema: &str, names: &[&str]) -> QueryResult<Option<(String, String, String)>> {
    let names = names.iter().map(|name| (*name).to_owned().into()).collect();
    let taken = Sql::new(TAKEN).bind(Bind::Texts(names)).text(") AND nspname = ").bind(schema.to_owned());
    conn.first::<(String, String, String), _>(taken.text(TAKEN_END).returning::<(Text, Text, Text)>()).await
}

const TAKEN: &str = "\
    SELECT CASE own.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' \
            WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END, \
        own.relname::text, coalesce(owner.relname, own.relname)::text \
    FROM pg_class AS own JOIN pg_namespace ON pg_namespace.oid = own.relnamespace \
        LEFT JOIN pg_index ON indexrelid = own.oid \
        LEFT JOIN pg_depend ON own.relkind = 'S' AND classid = 'pg_class'::regclass AND objid = own.oid \
            AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i') \
        LEFT JOIN pg_class AS owner ON owner.oid = coalesce(indrelid, refobjid) \
    WHERE own.relname = ANY (";
/// An index of the log has the name that it should have. Nothing else of the log's table may.
const TAKEN_END: &str = " AND NOT (own.relkind IN ('i', 'I') AND owner.relname = 'activity_log') \
    ORDER BY own.relname LIMIT 1";
