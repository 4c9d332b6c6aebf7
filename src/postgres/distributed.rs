//! Whether Citus has distributed the log among several servers.
//!
//! A statement is then planned by Citus, which does not know recursive queries, nor rows that depend on those of another
//! part of the statement. Whatever needs one of these asks first, and has another form for a distributed log.

use diesel::prelude::QueryResult;
use diesel::sql_types::Bool;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// Whether the log is distributed.
pub(crate) async fn is_distributed(conn: &mut impl Execute) -> QueryResult<bool> {
    conn.one::<bool, _>(Sql::new(IS_DISTRIBUTED).returning::<Bool>()).await
}

/// Citus gives each of its tables a trigger. Its own tables do not exist in most databases and cannot be asked.
const IS_DISTRIBUTED: &str = "\
    SELECT EXISTS (SELECT 1 FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid \
        WHERE tgrelid = 'activity_log'::regclass AND tgisinternal AND proname = 'citus_truncate_trigger')";
