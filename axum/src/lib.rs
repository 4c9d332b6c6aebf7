//! A page and an HTTP API for an [`activity_log`], to mount in an axum server in two lines.
//!
//! ```
//! use diesel::SqliteConnection;
//! use diesel::r2d2::{ConnectionManager, Pool};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("server.db").display().to_string();
//! let pool = Pool::builder()
//!     .connection_customizer(Box::new(activity_log::ConnectionCustomizer))
//!     .build(ConnectionManager::<SqliteConnection>::new(path))?;
//! activity_log::run_migrations(&mut *pool.get()?)?;
//!
//! let app: axum::Router = axum::Router::new().nest("/admin/activity", activity_log_axum::viewer(pool));
//! # Ok(())
//! # }
//! ```
//!
//! **Whoever the host lets through may read the whole log and export it**: put the viewer behind the layer that signs
//! administrators in. [`Viewer`] has the options, such as who acts, what clients may do beyond reading, and links to the
//! host's own pages.
//!
//! The page and the API work under any path. A pool of PostgreSQL connections works as one of SQLite does, behind the
//! feature `postgres`.
//!
//! # Features
//!
//! - `sqlite` (default): pools of connections to SQLite.
//! - `bundled` (default): compiles SQLite into the program instead of linking the system's.
//! - `postgres`: pools of connections to PostgreSQL.
//! - `postgres-bundled`: compiles libpq into the program instead of linking the system's.
//! - `sign-in`: `SignIn`, which signs users in with passwords, for hosts that have no sign-in of their own.
//!
//! # Retention
//!
//! A host that keeps its settings in a table of its own, and applies them with a worker:
//!
//! ```
//! use activity_log::{ActivityLogRepository, RetentionRun, RetentionWorker};
//! use activity_log_axum::{ApiError, Retention, RetentionChange, RetentionSettings};
//! use diesel::{QueryResult, SqliteConnection};
//! # fn load(_: &mut SqliteConnection) -> QueryResult<RetentionSettings> { Ok(RetentionSettings::default()) }
//! # fn store(_: &mut SqliteConnection, _: RetentionSettings) -> QueryResult<()> { Ok(()) }
//!
//! struct HostsRetention {
//!     database: String,
//!     worker: RetentionWorker,
//! }
//!
//! impl Retention for HostsRetention {
//!     fn settings(&self) -> Result<RetentionSettings, ApiError> {
//!         Ok(load(&mut activity_log::connect(&self.database)?).map_err(activity_log::Error::from)?)
//!     }
//!
//!     fn change(&self, change: &RetentionChange) -> Result<(), ApiError> {
//!         activity_log::connect(&self.database)?.immediate_transaction(|conn| -> activity_log::Result<()> {
//!             if let Some(entry) = change.entry(&load(conn)?)? {
//!                 store(conn, change.settings())?;
//!                 ActivityLogRepository::new(conn).record(&entry)?;
//!             }
//!             Ok(())
//!         })?;
//!         Ok(self.worker.set_policy(change.settings().policy())?)
//!     }
//!
//!     fn last_run(&self) -> Option<RetentionRun> {
//!         self.worker.last_run()
//!     }
//! }
//! ```
//!
//! # What is logged
//!
//! What an operator should know goes through the crate `tracing`: the causes of responses with status 500, exports and
//! streams that fail, and a database file that is replaced or removed while the server runs.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod actor;
mod app;
mod body;
mod compression;
mod count;
mod database;
mod entity_tag;
mod entries;
mod entry;
mod error;
mod export;
mod extent;
mod facets;
mod filters;
mod format;
mod headers;
mod health;
mod histogram;
mod host;
mod idempotency;
mod links;
mod live;
mod openapi;
mod origin;
mod page;
mod parameters;
mod permits;
mod posted;
mod query;
mod readable;
mod record;
mod recording;
mod retention;
mod retention_settings;
mod router;
mod routes;
mod schemas;
#[cfg(feature = "sign-in")]
mod sign_in;
mod status;
mod stream;
mod transfer;
mod unreadable;
mod viewer;
mod viewer_json;

pub use actor::Actor;
pub use database::backend::Backend;
pub use database::file::{FileLost, OpenFile};
pub use error::ApiError;
pub use headers::strict_headers;
pub use host::{names_this_machine, require_one_host};
pub use origin::refuse_other_sites;
pub use page::is_page_file;
pub use retention::{Retention, RetentionChange, RetentionSettings};
pub use routes::Routes;
#[cfg(feature = "sign-in")]
pub use sign_in::{Identity, InvalidCredentials, SignIn, Users, hash_password};
pub use viewer::{Viewer, viewer};
