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

#[cfg(not(feature = "sqlite"))]
compile_error!("activity-log needs a database: enable its feature `sqlite`");

mod error;
pub mod export;
#[doc = include_str!("../docs/guarantees.md")]
pub mod guarantees {}
mod model;
mod repository;
/// The table as Diesel sees it, for the host's own queries over the log.
#[cfg(feature = "sqlite")]
pub mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;

pub use error::{Error, Result};
pub use model::category::ActivityCategory;
pub use model::entry::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
pub use model::filters::ActivityLogFilters;
pub use model::limits::EntryLimits;
pub use model::redactor::{REDACTED, Redactor};
pub use model::severity::{ActivitySeverity, ParseSeverityError};
pub use repository::Repository;
#[cfg(feature = "sqlite")]
pub use sqlite::ActivityLogRepository;
#[cfg(feature = "sqlite")]
pub use sqlite::connection::{BUSY_TIMEOUT, configure, connect};
#[cfg(feature = "sqlite")]
pub use sqlite::migrations::{MIGRATIONS, run_migrations};
#[cfg(all(feature = "sqlite", feature = "r2d2"))]
#[cfg_attr(docsrs, doc(cfg(feature = "r2d2")))]
pub use sqlite::pool::ConnectionCustomizer;
#[cfg(feature = "sqlite")]
pub use sqlite::reclaim::reclaim;
#[cfg(feature = "sqlite")]
pub use sqlite::reserve::{RESERVE_BYTES, keep_reserve};
#[cfg(feature = "sqlite")]
pub use sqlite::search::index::{disable_search, enable_search};
#[cfg(feature = "sqlite")]
pub use sqlite::segments::summarize::resummarize;
#[cfg(feature = "sqlite")]
pub use sqlite::segments::unsummarized::unsummarized;
pub use store::Backend;

/// Compiles and runs what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
