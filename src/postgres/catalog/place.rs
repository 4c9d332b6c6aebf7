//! Where in the database the log is, or would be created.

use diesel::prelude::QueryResult;
use diesel::sql_types::{Bool, Nullable, Text};

use crate::error::Result;
use crate::postgres::catalog::object::{Object, objects};
use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// What the names of the log stand for in the connection's search path.
#[derive(Debug)]
pub(crate) struct Place {
    /// The first schema of the search path, in which tables are created.
    pub(crate) first_schema: Option<String>,
    /// What `activity_log` stands for.
    pub(crate) table: Option<Table>,
    /// The table with the versions of the migrations, as SQL has its name.
    pub(crate) versions: Option<String>,
    pub(crate) is_read_only: bool,
}

/// A table, a view or whatever else has columns.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) schema: String,
    /// What it is, if it is no table; rows can be stored in a table only.
    pub(crate) other_kind: Option<String>,
    pub(crate) objects: Vec<Object>,
}

impl Place {
    pub(crate) async fn find(conn: &mut impl Execute) -> QueryResult<Self> {
        let place = Sql::new(PLACE).returning::<PlaceSql>();
        let (first_schema, schema, other_kind, versions, is_read_only) = conn.one::<PlaceRow, _>(place).await?;
        let table = match schema {
            Some(schema) => Some(Table { schema, other_kind, objects: objects(conn, "activity_log").await? }),
            None => None,
        };
        Ok(Self { first_schema, table, versions, is_read_only })
    }

    /// The schema of the log, or the one in which it would be created.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.table.as_ref().map(|table| &table.schema).or(self.first_schema.as_ref()).map(String::as_str)
    }

    /// The versions of this crate's migrations that have been run.
    pub(crate) async fn applied_versions(&self, conn: &mut impl Execute) -> Result<Vec<String>> {
        let Some(table) = &self.versions else { return Ok(Vec::new()) };
        let versions = Sql::new(format!("SELECT version::text FROM {table} WHERE starts_with(version, "));
        let versions = versions.bind(OUR_VERSIONS).text(")").returning::<Text>();
        Ok(conn.load::<String, _>(versions).await?)
    }
}

/// With what the version of each migration of this crate begins, as Diesel keeps it.
const OUR_VERSIONS: &str = "0000activitylog";

type PlaceSql = (Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Bool);
type PlaceRow = (Option<String>, Option<String>, Option<String>, Option<String>, bool);

const PLACE: &str = "\
    SELECT current_schema()::text, nspname::text, \
        CASE relkind WHEN 'r' THEN NULL WHEN 'p' THEN NULL WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
            WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'c' THEN 'type' \
            ELSE 'relation of another kind' END, \
        coalesce(CASE WHEN nspname IS NOT NULL THEN to_regclass(format('%I.__diesel_schema_migrations', nspname)) END, \
            to_regclass('__diesel_schema_migrations'))::text, \
        current_setting('transaction_read_only') = 'on' \
    FROM (SELECT to_regclass('activity_log') AS oid) AS log \
        LEFT JOIN pg_class ON pg_class.oid = log.oid LEFT JOIN pg_namespace ON pg_namespace.oid = relnamespace";
