//! The log in PostgreSQL.
//!
//!
//! [`in_postgresql`](crate::in_postgresql) says how to use it, and what is its own.

#[cfg(feature = "postgres-async")]
mod async_connection;
#[cfg(feature = "postgres-async")]
mod async_repository;
#[cfg(feature = "postgres-async")]
mod async_start_up;
#[cfg(feature = "postgres")]
mod blocking;
mod blocks;
mod catalog;
mod check;
mod count;
mod delete;
mod execute;
mod extent;
mod follow;
mod insert;
mod insert_groups;
mod lengths;
mod lookup;
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
mod search;
mod searches;
mod start_up;
mod statement;
mod store;
mod timestamp;
mod transaction;

#[cfg(feature = "postgres-async")]
pub use crate::postgres::async_repository::AsyncActivityLogRepository;
#[cfg(feature = "postgres-async")]
pub use crate::postgres::async_start_up::{
    check_async, disable_search_async, enable_search_async, run_migrations_async,
};
#[cfg(feature = "postgres")]
pub use crate::postgres::blocking::ActivityLogRepository;
#[cfg(feature = "postgres")]
pub use crate::postgres::check::check;
pub use crate::postgres::migrations::MIGRATIONS;
pub use crate::postgres::new_row::NewActivityLogRow;
pub use crate::postgres::row::ActivityLogRow;
#[cfg(feature = "postgres")]
pub use crate::postgres::search::enable::{disable_search, enable_search};
#[cfg(feature = "postgres")]
pub use crate::postgres::start_up::run_migrations;
