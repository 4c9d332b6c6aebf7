//! The shared behaviour tests on a log that Citus has distributed, and the tests specific to that.
//!
//! They need a cluster, whose coordinator's address is in `ACTIVITY_LOG_CITUS_URL`, and a superuser. Each test has a schema of
//! its own. Without that variable they are skipped.

#![cfg(feature = "postgres")]

#[path = "../behaviour/mod.rs"]
mod behaviour;
#[path = "../support/chance.rs"]
mod chance;
#[path = "../postgres/database.rs"]
mod database;
mod distributing;
#[path = "../postgres/follow.rs"]
mod follow;
#[path = "../postgres/follow_writers.rs"]
mod follow_writers;
#[path = "../postgres/lengths.rs"]
mod lengths;
#[cfg(feature = "sqlite")]
#[path = "../postgres/moving.rs"]
mod moving;
mod placement;
#[path = "../postgres/search.rs"]
mod search;
#[path = "../postgres/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;
