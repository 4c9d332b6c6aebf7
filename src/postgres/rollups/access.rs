//! What the connection's role can do with the rollups.

use diesel::prelude::QueryResult;
use diesel::sql_types::Bool;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// What a connection can do with the rollups of the log. It may change at any moment, so each statement that reads rollups
/// also contains [`ARE_MAINTAINED`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Access {
    /// Whether blocks may have been summarized, and the role may read their rollups and all rows.
    pub(crate) can_read: bool,
    /// Whether the role may summarize blocks, and the server lets it write.
    pub(crate) can_summarize: bool,
}

impl Access {
    pub(crate) async fn find(conn: &mut impl Execute) -> QueryResult<Self> {
        let access = conn.first::<(bool, bool), _>(Sql::new(ACCESS).returning::<(Bool, Bool)>()).await?;
        Ok(access.map(|(can_read, can_summarize)| Self { can_read, can_summarize }).unwrap_or_default())
    }
}

/// Nobody reads rollups of rows that they might not see, or of a table whose rows change without its triggers: by logical
/// replication, or in a table that inherits from it.
const ACCESS: &str = "\
    SELECT count(*) FILTER (WHERE own.relkind = 'r' AND own.relname <> 'activity_log_rollup_progress' \
                AND has_table_privilege(own.oid, 'SELECT')) = 3 \
            AND NOT row_security_active(log.oid) \
            AND NOT EXISTS (SELECT 1 FROM pg_inherits WHERE log.oid IN (inhrelid, inhparent)) \
            AND NOT EXISTS (SELECT 1 FROM pg_subscription_rel WHERE srrelid = log.oid), \
        count(*) FILTER (WHERE own.relkind = 'r' AND has_table_privilege(own.oid, 'SELECT') \
                AND has_table_privilege(own.oid, 'INSERT') AND has_table_privilege(own.oid, 'DELETE') \
                AND has_table_privilege(own.oid, 'UPDATE')) = 4 \
            AND count(*) FILTER (WHERE own.relkind = 'S' AND has_sequence_privilege(own.oid, 'UPDATE')) = 1 \
            AND has_table_privilege(log.oid, 'SELECT') AND NOT row_security_active(log.oid) \
            AND current_setting('transaction_read_only') = 'off' \
    FROM pg_class AS log JOIN pg_class AS own USING (relnamespace) \
    WHERE log.oid = to_regclass('activity_log') AND pg_table_is_visible(own.oid) \
        AND own.relname IN ('activity_log_rollup_blocks', 'activity_log_rollup_marks', 'activity_log_rollup_progress', \
            'activity_log_rollups', 'activity_log_rollup_boundary') \
    GROUP BY log.oid";

/// Whether each change marks its block, and the log was not truncated since its blocks were summarized.
pub(crate) const ARE_MAINTAINED: &str = "\
    (SELECT count(*) = 4 FROM pg_trigger WHERE tgrelid = 'activity_log'::regclass AND tgenabled = 'A' \
        AND tgname IN ('activity_log_rollup_delete', 'activity_log_rollup_insert', 'activity_log_rollup_truncate', \
            'activity_log_rollup_update')) \
    AND NOT EXISTS (SELECT 1 FROM activity_log_rollup_marks WHERE block IS NULL)";
