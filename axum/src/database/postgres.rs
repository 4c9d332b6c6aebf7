//! PostgreSQL.

use activity_log::postgres::ActivityLogRepository;
use activity_log::{ActivityLogFilters, Result};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

use crate::database::backend::{Backend, Operations};

const MAX_COUNTED: u64 = 100_000;

/// The rows per page of the last ANALYZE, on the pages that there are now.
const ESTIMATE: &str = "(SELECT (reltuples / relpages * (pg_relation_size(oid) / current_setting('block_size')::int))::bigint \
    FROM pg_class WHERE oid = 'activity_log'::regclass AND relpages > 0 AND reltuples >= 0)";

/// The index is in the schema of its table.
const HAS_SEARCH: &str = "EXISTS (SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
    WHERE indrelid = 'activity_log'::regclass AND relname = 'activity_log_search' AND indisvalid)";

impl Backend for PgConnection {}

impl Operations for PgConnection {
    fn with_write_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.transaction(work)
    }

    /// A transaction with one snapshot could not tell what others still commit.
    fn with_read_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        work(self)
    }

    fn bytes(&mut self) -> Result<u64> {
        let size = sql::<BigInt>("pg_total_relation_size('activity_log')");
        Ok(diesel::select(size).get_result::<i64>(self)?.unsigned_abs())
    }

    /// As the planner estimates it. A table of which it knows nothing is counted up to a limit.
    fn entries(&mut self) -> Result<u64> {
        let estimate = diesel::select(sql::<Nullable<BigInt>>(ESTIMATE)).get_result::<Option<i64>>(self)?;
        match estimate {
            Some(entries) => Ok(entries.unsigned_abs()),
            None => ActivityLogRepository::new(self).count_up_to(&ActivityLogFilters::default(), MAX_COUNTED),
        }
    }

    fn has_search(&mut self) -> Result<bool> {
        Ok(diesel::select(sql::<Bool>(HAS_SEARCH)).get_result(self)?)
    }

    const IS_A_FILE: bool = false;

    fn file(&mut self) -> Option<String> {
        None
    }
}
