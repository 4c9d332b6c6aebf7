//! The shared behaviour tests on PostgreSQL through an async connection, and the tests specific to async programs.
//!
//! They need a server, as those in `tests/postgres` do.

#![cfg(all(feature = "postgres", feature = "postgres-async"))]

/// The shared tests, without those of what only a blocking connection has: the worker in a thread.
#[path = "../behaviour"]
mod behaviour {
    pub(crate) mod broken_rows;
    mod clock;
    mod concurrency;
    mod cursors;
    mod entity_ids;
    mod errors;
    mod export;
    mod export_files;
    pub(crate) mod filters;
    mod get;
    mod hostile_input;
    mod last_given;
    mod model;
    mod pagination;
    pub(crate) mod prune;
    pub(crate) mod retention;
    mod retention_archive;
    mod retention_model;
    mod rewrite;
    pub(crate) mod round_trip;
    mod rows;
    mod secrets_and_limits;
    mod time_windows;
    mod transactions;
}
mod cancellation;
mod database;
mod placement {
    /// The variable with the address of the server.
    pub(crate) const SERVER: &str = "ACTIVITY_LOG_POSTGRES_URL";

    /// Whether a host may add a unique index to the log.
    pub(crate) const TAKES_UNIQUE_INDEXES: bool = true;
}
mod repository;
#[path = "../postgres/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;
