//! An activity (audit) log for servers: who did what, to which entity, when; kept in the server's own SQLite database,
//! through [Diesel](diesel).
//!
//! - [`connect`] or [`configure`] a connection, and [`run_migrations`] at start-up beside the server's own.
//! - [`record`](ActivityLogRepository::record) inside the same transaction as the change that the entry describes.
//! - [`page`](ActivityLogRepository::page), [`count`](ActivityLogRepository::count) and
//!   [`iter_export`](ActivityLogRepository::iter_export) the log by [filters](ActivityLogFilters), and
//!   [`prune`](ActivityLogRepository::prune) it every night.
//! - Write what is exported to files, and restore it from them: [`export`].
//!
//! ```
//! use activity_log::{ActivityCategory, ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
//!
//! # fn main() -> activity_log::Result<()> {
//! let mut conn = activity_log::connect(":memory:")?;
//! activity_log::run_migrations(&mut conn)?;
//!
//! let mut log = ActivityLogRepository::new(&mut conn);
//! log.record(
//!     &NewActivityLogEntry::new(ActivityCategory::Auth, "user.signed_in", "alice", "Alice signed in")
//!         .metadata_value("address", "192.0.2.7"),
//! )?;
//!
//! let by_alice = ActivityLogFilters { actor: Some("alice".to_owned()), ..Default::default() };
//! let page = log.page(&by_alice, None, 50)?;
//! assert_eq!(page.entries[0].action, "user.signed_in");
//! assert_eq!(page.next_before_seq, None);
//! # Ok(())
//! # }
//! ```
//!
//! What it promises, and what not, is listed in [`guarantees`].
//!
//! # Features
//!
//! - `bundled` (default): compiles SQLite into the program instead of linking the system's.
//! - `csv`: [`export::write_csv`], for spreadsheets.
//! - `r2d2`: [`ConnectionCustomizer`] for Diesel's connection pool.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod blocks;
mod category;
mod chapters;
mod clearing;
mod closing;
mod connection;
mod entity_types;
mod entry;
mod error;
pub mod export;
mod filters;
mod limits;
mod metadata;
mod migrations;
mod pace;
mod planner;
#[cfg(feature = "r2d2")]
mod pool;
mod prune;
mod reading;
mod reclaim;
mod recording;
mod redactor;
mod repository;
mod reserve;
mod row;
mod runs;
#[doc = include_str!("../docs/guarantees.md")]
pub mod guarantees {}
/// The table as Diesel sees it, for a host's own queries over the log.
pub mod schema;
mod search;
mod severity;
mod span;
mod sqlite;
mod streaming;
mod timestamp;

pub use category::ActivityCategory;
pub use closing::resummarize;
pub use connection::{BUSY_TIMEOUT, configure, connect};
pub use entry::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
pub use error::{Error, Result};
pub use filters::ActivityLogFilters;
pub use limits::EntryLimits;
pub use migrations::{MIGRATIONS, run_migrations};
#[cfg(feature = "r2d2")]
#[cfg_attr(docsrs, doc(cfg(feature = "r2d2")))]
pub use pool::ConnectionCustomizer;
pub use reclaim::reclaim;
pub use redactor::{REDACTED, Redactor};
pub use repository::ActivityLogRepository;
pub use reserve::{RESERVE_BYTES, keep_reserve};
pub use search::{disable_search, enable_search};
pub use severity::{ActivitySeverity, ParseSeverityError};

/// Compiles and runs what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
