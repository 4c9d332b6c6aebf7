//! The log in PostgreSQL.
//!
//! # Behind pgbouncer
//!
//! In transaction mode, each transaction may run on another of the server's connections, and a prepared statement is known
//! to one of them only. Keep none: `conn.set_prepared_statement_cache_size(CacheSize::Disabled)`. Everything then works in
//! and outside of transactions. Connect a [`RetentionWorker`](crate::RetentionWorker) past the pooler, because it sets
//! `lock_timeout` for its session.

#[cfg(feature = "postgres-async")]
mod async_connection;
#[cfg(feature = "postgres-async")]
mod async_repository;
#[cfg(feature = "postgres")]
mod blocking;
mod blocks;
mod count;
mod delete;
mod execute;
mod extent;
mod follow;
mod insert;
mod lookup;
#[cfg(feature = "postgres")]
mod migrations;
mod new_row;
mod query;
mod read;
mod references;
mod rewrite;
mod row;
mod savepoint;
/// The table as Diesel sees it, for the host's own queries over the log.
///
/// Import it under another name: `activity_log` is also the name of the crate.
pub mod schema;
mod searches;
mod statement;
mod store;
mod timestamp;
mod transaction;

#[cfg(feature = "postgres-async")]
pub use crate::postgres::async_repository::AsyncActivityLogRepository;
#[cfg(feature = "postgres")]
pub use crate::postgres::blocking::ActivityLogRepository;
#[cfg(feature = "postgres")]
pub use crate::postgres::migrations::{MIGRATIONS, run_migrations};
pub use crate::postgres::new_row::NewActivityLogRow;
pub use crate::postgres::row::ActivityLogRow;
