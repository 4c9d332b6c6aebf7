//! The shared behaviour tests on PostgreSQL, and the tests specific to PostgreSQL.
//!
//! They need a server, whose address is in `ACTIVITY_LOG_POSTGRES_URL`, and a role that may create schemas. Each test has a
//! schema of its own. Without that variable they are skipped.

#![cfg(feature = "postgres")]

#[path = "../behaviour/mod.rs"]
mod behaviour;
mod blocks;
mod catalog;
#[path = "../support/chance.rs"]
mod chance;
mod cluster;
mod crash;
mod cut_connection;
mod database;
mod follow;
mod follow_one_server;
mod follow_writers;
mod isolation;
mod lengths;
mod migrations;
#[cfg(feature = "sqlite")]
mod moving;
mod nearest;
mod pgbouncer;
mod placement;
mod query_plans;
mod recorder_commits;
mod recorder_connection;
mod recorder_restarts;
mod rollups;
mod rollups_beside_writers;
mod rollups_changes;
mod rollups_enabling;
mod rollups_plans;
mod rollups_upkeep;
mod search;
mod search_enabling;
mod search_reads;
mod server;
#[cfg(feature = "sqlite")]
mod side_by_side;
mod standby;
mod start_up_checks;
mod start_up_names;
mod start_up_rights;
mod statements;
#[path = "../support/mod.rs"]
mod support;
mod transaction_errors;
#[path = "../support/workers.rs"]
mod workers;
