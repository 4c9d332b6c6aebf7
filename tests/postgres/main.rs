//! The shared behaviour tests on PostgreSQL, and the tests specific to PostgreSQL.
//!
//! They need a server, whose address is in `ACTIVITY_LOG_POSTGRES_URL`, and a role that may create schemas. Each test has a
//! schema of its own. Without that variable they are skipped.

#![cfg(feature = "postgres")]

#[path = "../behaviour/mod.rs"]
mod behaviour;
mod catalog;
mod database;
mod migrations;
mod search;
mod search_enabling;
mod search_reads;
mod start_up_checks;
mod start_up_names;
mod start_up_rights;
#[path = "../support/mod.rs"]
mod support;
