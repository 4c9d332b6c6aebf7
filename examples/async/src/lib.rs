//! How an async host uses the log. Each module is a snippet of the page "In an async server" of activity-log's
//! documentation; a test compares them.

#![expect(clippy::missing_errors_doc, reason = "nobody depends on an example, and its errors are whatever went wrong")]

pub mod axum_server;
pub mod deadpool;
pub mod devices;
pub mod diesel_async;
mod error;
pub mod export;
pub mod follow;
pub mod spawn_blocking;

pub use error::{Error, Result};
