//! The guarantees of the log in every database.
//!
//! Each database has its own test target, which runs these files and provides the database in its module `database`.

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
mod last_given;
mod metadata_filter;
pub(crate) mod model;
mod pagination;
pub(crate) mod prune;
pub(crate) mod recorder;
mod recorder_batches;
mod recorder_ends;
mod recorder_faults;
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
#[cfg(feature = "tracing")]
mod tracing_layer;
#[cfg(feature = "tracing")]
mod tracing_threads;
mod transactions;
