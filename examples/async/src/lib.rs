//! How an async host uses the log. Each module is a snippet of the page "In an async server" of activity-log's
//! documentation; a test compares them.

#![expect(clippy::missing_errors_doc, reason = "nobody depends on an example, and its errors are whatever went wrong")]

pub mod axum_server;
pub mod deadpool;
pub mod devices;
pub mod diesel_async;
pub mod export;
pub mod follow;
pub mod spawn_blocking;

/// How long a request waits for a connection before the client is told to try again.
pub const POOL_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);

/// Whatever went wrong. A server may have an enum of its own here.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of whatever may go wrong.
pub type Result<T, E = Error> = std::result::Result<T, E>;
