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
mod conditions;
mod count;
mod delete;
mod distribute;
mod distributed;
mod execute;
mod extent;
mod follow;
mod insert;
mod insert_groups;
mod kinds;
mod lengths;
mod lookup;
mod migrations;
mod nearest;
mod new_row;
mod query;
mod read;
mod references;
mod rewrite;
mod rollups;
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
    check_async, disable_rollups_async, disable_search_async, distribute_async, enable_rollups_async,
    enable_search_async, run_migrations_async, summarize_async, undistribute_async,
};
#[cfg(feature = "postgres")]
pub use crate::postgres::blocking::ActivityLogRepository;
#[cfg(feature = "postgres")]
pub use crate::postgres::check::check;
#[cfg(feature = "postgres")]
pub use crate::postgres::distribute::{distribute, undistribute};
pub use crate::postgres::migrations::MIGRATIONS;
pub use crate::postgres::new_row::NewActivityLogRow;
#[cfg(feature = "postgres")]
pub use crate::postgres::rollups::enable::{disable_rollups, enable_rollups};
#[cfg(feature = "postgres")]
pub use crate::postgres::rollups::upkeep::summarize;
pub use crate::postgres::row::ActivityLogRow;
#[cfg(feature = "postgres")]
pub use crate::postgres::search::enable::{disable_search, enable_search};
#[cfg(feature = "postgres")]
pub use crate::postgres::start_up::run_migrations;
