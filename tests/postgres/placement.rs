//! Where the tests have their logs: in a table of one server.

pub(crate) use activity_log::postgres::run_migrations;

/// The variable with the address of the server.
pub(crate) const SERVER: &str = "ACTIVITY_LOG_POSTGRES_URL";

/// Whether a transaction can be prepared by PREPARE TRANSACTION.
pub(crate) const PREPARES_TRANSACTIONS: bool = true;

/// Whether a host may add a unique index to the log.
pub(crate) const TAKES_UNIQUE_INDEXES: bool = true;
