//! The shared behaviour tests on a log that Citus has distributed, and the tests specific to that.
//!
//! They need a cluster, whose coordinator's address is in `ACTIVITY_LOG_CITUS_URL`, and a superuser. Each test has a schema of
//! its own. Without that variable they are skipped.

#![cfg(feature = "postgres")]

/// The shared tests, without the one file that gives the log a trigger, which Citus refuses.
#[path = "../behaviour"]
mod behaviour {
    pub(crate) mod broken_rows;
    mod clock;
    mod combined_filters;
    mod concurrency;
    mod context;
    mod cursors;
    pub(crate) mod entity_ids;
    mod errors;
    pub(crate) mod export;
    mod export_files;
    pub(crate) mod filters;
    mod get;
    mod hostile_input;
    pub(crate) mod model;
    mod pagination;
    pub(crate) mod prune;
    pub(crate) mod recorder;
    mod recorder_batches;
    mod recorder_ends;
    mod recorder_feed;
    mod recorder_kill;
    mod recorder_load;
    mod recorder_model;
    mod recorder_queue;
    mod recorder_switch;
    pub(crate) mod retention;
    mod retention_archive;
    mod retention_model;
    mod retention_worker;
    mod rewrite;
    pub(crate) mod round_trip;
    pub(crate) mod rows;
    pub(crate) mod secrets_and_limits;
    mod start_up;
    pub(crate) mod time_windows;
    mod tracing_layer;
    mod tracing_threads;
    mod transactions;
}
#[path = "../postgres/blocks.rs"]
mod blocks;
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
#[path = "../support/workers.rs"]
mod workers;
