//! Where the tests have their logs: distributed among the servers of a Citus cluster.

use activity_log::postgres;

use crate::database::Connection;

/// The variable with the address of the cluster's coordinator.
pub(crate) const SERVER: &str = "ACTIVITY_LOG_CITUS_URL";

pub(crate) fn run_migrations(conn: &mut Connection) -> activity_log::Result<()> {
    postgres::run_migrations(conn)?;
    postgres::distribute(conn)
}

/// Whether a transaction can be prepared by PREPARE TRANSACTION. Citus prepares them on its own.
pub(crate) const PREPARES_TRANSACTIONS: bool = false;

/// Whether a host may add a unique index to the log. Citus could only keep it on each shard.
pub(crate) const TAKES_UNIQUE_INDEXES: bool = false;
