//! Adding and removing the search index.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::prelude::QueryResult;
use diesel::sql_types::{Bool, Text};

use crate::error::{Error, Result};
use crate::postgres::catalog::difference::refuse_taken_names;
use crate::postgres::catalog::object::Object;
use crate::postgres::catalog::place::{Place, Table};
use crate::postgres::catalog::repair::{is_being_built, obstacle};
use crate::postgres::execute::Execute;
use crate::postgres::start_up::LOCK;
use crate::postgres::statement::Sql;
use crate::postgres::transaction::{Transaction, is_read_only};
#[cfg(feature = "postgres")]
use crate::store::blocking::run;

/// Adds an index that finds texts in messages: for terms with three and more ASCII characters in a row, `message_contains` no
/// longer looks through the log. It finds the same entries as without the index.
///
/// Call it at every start-up after [`run_migrations`](crate::postgres::run_migrations). If the index exists and is whole, it
/// only reads. Otherwise it builds the index, about a minute per million entries, and writers wait that long. In a large log
/// that is in use, let an operator build it before, without holding up anyone:
///
/// ```sql
/// CREATE EXTENSION IF NOT EXISTS pg_trgm;
/// CREATE INDEX CONCURRENTLY activity_log_search ON activity_log USING gin (lower(message) gin_trgm_ops);
/// ```
///
/// If that fails, it leaves an index that no query uses, and this function builds it again.
///
/// The index needs the extension `pg_trgm`, which is part of PostgreSQL and which this function creates if it may. Recording
/// takes up to 0.15 ms longer for each entry, by the length of its message.
///
/// # Errors
///
/// [`Error::CannotCreate`] if the server does not have the extension, if the connection's role may not create it or the
/// index, or if the connection is read-only; [`Error::NameTaken`] if another table has an index `activity_log_search`, or the
/// schema something else of that name; [`Error::Busy`] if a lock was not granted within the connection's `lock_timeout`,
/// [`Error::Full`] if there is no room, [`Error::Database`] if the database fails otherwise. Nothing has changed then.
#[cfg(feature = "postgres")]
pub fn enable_search(conn: &mut PgConnection) -> Result<()> {
    run(enable(conn))
}

/// Removes the index that [`enable_search`] added, if it exists. The extension stays.
///
/// # Errors
///
/// Those of [`enable_search`].
#[cfg(feature = "postgres")]
pub fn disable_search(conn: &mut PgConnection) -> Result<()> {
    run(disable(conn))
}

pub(crate) const SEARCH_INDEX: &str = "activity_log_search";

pub(crate) async fn enable(conn: &mut impl Execute) -> Result<()> {
    if Place::find(conn).await?.table.as_ref().is_some_and(is_whole) {
        return Ok(());
    }
    let transaction = Transaction::begin(conn).await?;
    let outcome = enable_in_transaction(conn).await;
    transaction.end(conn, outcome).await
}

pub(crate) async fn disable(conn: &mut impl Execute) -> Result<()> {
    let Some((schema, index)) = find_index(conn).await? else { return Ok(()) };
    if index.is_some() {
        let drop = Sql::new("SELECT format('DROP INDEX IF EXISTS %I.%I', ").bind(schema).text(", ").bind(SEARCH_INDEX);
        let drop = conn.one::<String, _>(drop.text(")").returning::<Text>()).await?;
        conn.batch(&drop).await?;
    }
    Ok(())
}

/// The schema of the log, and its search index; `None` if there is no log.
async fn find_index(conn: &mut impl Execute) -> Result<Option<(String, Option<Object>)>> {
    let Some(table) = Place::find(conn).await?.table else { return Ok(None) };
    refuse_taken_names(conn, &table.schema, &[SEARCH_INDEX]).await?;
    let index = table.objects.into_iter().find(|object| object.kind == "index" && object.name == SEARCH_INDEX);
    Ok(Some((table.schema, index)))
}

fn is_whole(table: &Table) -> bool {
    table.objects.iter().any(|object| object.name == SEARCH_INDEX && is_defined_right(object) && object.is_valid)
}

/// The schema of the extension may stand before the name of the operator class.
fn is_defined_right(index: &Object) -> bool {
    index.definition.starts_with("USING gin (lower(message) ") && index.definition.ends_with("gin_trgm_ops)")
}

async fn enable_in_transaction(conn: &mut impl Execute) -> Result<()> {
    if is_read_only(conn).await? {
        return Err(cannot_create("the connection is read-only".to_owned()));
    }
    conn.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let Some((schema, index)) = find_index(conn).await? else {
        return Err(cannot_create("there is no table `activity_log`; run the migrations first".to_owned()));
    };
    if let Some(index) = &index {
        let is_right = is_defined_right(index);
        // Another process may have been faster, or still be at it.
        if is_right && (index.is_valid || is_being_built(conn).await?) {
            return Ok(());
        }
    }
    if let Some(reason) = obstacle(conn, &schema, true).await? {
        return Err(cannot_create(reason));
    }
    let extension_schema = extension_schema(conn, &schema).await?;
    let names = Sql::new("SELECT quote_ident(").bind(schema).text("), quote_ident(").bind(extension_schema).text(")");
    let (schema, extension_schema) = conn.one::<(String, String), _>(names.returning::<(Text, Text)>()).await?;
    if index.is_some() {
        conn.batch(&format!("DROP INDEX {schema}.{SEARCH_INDEX}")).await?;
    }
    let create = format!(
        "CREATE INDEX {SEARCH_INDEX} ON {schema}.activity_log USING gin (lower(message) {extension_schema}.gin_trgm_ops)"
    );
    Ok(conn.batch(&create).await?)
}

/// The schema of the extension `pg_trgm`, which is created in the log's schema if it is missing.
async fn extension_schema(conn: &mut impl Execute, schema: &str) -> Result<String> {
    if let Some(schema) = installed(conn).await? {
        return Ok(schema);
    }
    let (is_available, may_create, role) =
        conn.one::<(bool, bool, String), _>(Sql::new(EXTENSION).returning::<(Bool, Bool, Text)>()).await?;
    if !is_available {
        let reason = "the server does not have the extension pg_trgm; install the package with PostgreSQL's additional \
            modules (`postgresql-contrib`) there";
        return Err(cannot_create(reason.to_owned()));
    }
    if !may_create {
        let reason = format!(
            "the role `{role}` may not create the extension pg_trgm; let the database's owner run CREATE EXTENSION pg_trgm"
        );
        return Err(cannot_create(reason));
    }
    let create = Sql::new("SELECT format('CREATE EXTENSION pg_trgm SCHEMA %I', ").bind(schema.to_owned()).text(")");
    let create = conn.one::<String, _>(create.returning::<Text>()).await?;
    conn.batch(&create).await?;
    installed(conn).await?.ok_or_else(|| cannot_create("the extension pg_trgm is missing".to_owned()))
}

async fn installed(conn: &mut impl Execute) -> QueryResult<Option<String>> {
    let schema = Sql::new(
        "SELECT nspname::text FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'",
    );
    conn.first::<String, _>(schema.returning::<Text>()).await
}

fn cannot_create(reason: String) -> Error {
    Error::CannotCreate { what: format!("the search index `{SEARCH_INDEX}`"), reason }
}

/// Since PostgreSQL 13, whoever may create schemas in a database may create this extension.
const EXTENSION: &str = "\
    SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'), \
        has_database_privilege(current_database(), 'CREATE') AND (rolsuper OR EXISTS ( \
            SELECT 1 FROM pg_available_extension_versions WHERE name = 'pg_trgm' AND trusted)), \
        current_user::text \
    FROM pg_roles WHERE rolname = current_user";
