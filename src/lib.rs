//! An activity (audit) log for servers: who did what, to which entity, when. It is one table in the server's own SQLite
//! or PostgreSQL database, written and read through [Diesel](diesel).
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
//! # By task
//!
//! | To | use |
//! |---|---|
//! | **record** an entry, inside the transaction of the change it describes | [`record`](Repository::record) |
//! | record **from anywhere**, without a connection at hand, and with one sync for many | [`Recorder`], [`recording`] |
//! | say **who acts** once, where a request comes in, and not at each entry | [`ActorContext`], [`contexts`] |
//! | record **what changed** between two values | [`changes`] |
//! | record chosen events of `tracing` | `TracingLayer` (feature `tracing`) |
//! | record all or none of many | [`record_all`](Repository::record_all) |
//! | mask secrets in the metadata, limit the size of entries | [`with_redactor`](Repository::with_redactor), [`with_limits`](Repository::with_limits) |
//! | **read** newest first, page by page | [`page`](Repository::page), [`query`](Repository::query) with [`ActivityLogFilters`] |
//! | show what is recorded as it is committed | [`subscribe`](Recorder::subscribe) |
//! | **follow** the log: ask what is new, oldest first | [`newest_seq`](Repository::newest_seq), [`last_given_seq`](Repository::last_given_seq), [`query_after`](Repository::query_after), [`page_after`](Repository::page_after) |
//! | **count**, or count up to a limit for a "1,000+" | [`count`](Repository::count), [`count_up_to`](Repository::count_up_to) |
//! | count by value for menus, or over time for charts | [`facets`](Repository::facets), [`histogram`](Repository::histogram) |
//! | **export** all of it in flat memory | [`iter_export`](Repository::iter_export) |
//! | back it up to a file and restore it, or open it in a spreadsheet | [`export`] |
//! | **keep it small**: delete by age and by number, or everything | [`prune`](Repository::prune), [`prune_with_report`](Repository::prune_with_report), [`clear`](Repository::clear) |
//! | keep it small by a policy: ages per category and severity, numbers, an archive for what is deleted | [`RetentionWorker`], a thread, or [`apply_retention`](Repository::apply_retention) |
//! | **erase** a person or a secret | [`erase_texts`](Repository::erase_texts), [`erase_actor`](Repository::erase_actor), [`rewrite`](Repository::rewrite), [`erasing`] |
//! | return freed space to the file system, prune on a full disk | [`reclaim`], [`keep_reserve`] |
//! | **search** for texts in messages without a scan | [`enable_search`], once at start-up |
//! | put it **in a host's database** | [`run_migrations`] or [`MIGRATIONS`], at every start-up |
//! | open a connection, or set one up that the host opened or pools | [`connect`], [`configure`], `ConnectionCustomizer` (feature `r2d2`) |
//! | find **one entry** by its id | [`get`](Repository::get) |
//! | query the table with Diesel, join it, insert into it | [`schema`], [`ActivityLogRow`], [`NewActivityLogRow`] |
//! | answer an **error** with a status | [`is_retryable`](Error::is_retryable), [`is_invalid_input`](Error::is_invalid_input) |
//! | find out what is wrong with it, repair it | [`check`], [`resummarize`], [`unsummarized`] |
//!
//! The names in this table are SQLite's. PostgreSQL has its own in the module `postgres`, over the same [`Repository`];
//! the page `in_postgresql` says what differs.
//!
//! [`guarantees`] lists what the log promises, and what it does not. [`recording`] says when to use a recorder, [`contexts`] how entries learn who acts.
//! [`by_example`] has snippets to copy.
//! [`async_servers`] shows how an async server uses the log. [`beside_other_crates`] and [`diesel_cli`] explain how the
//! log works with rusqlite, sqlx, sea-orm and the Diesel CLI.
//!
//! # Features
//!
//! - `sqlite` (default): the log in SQLite.
//! - `bundled` (default): compiles SQLite into the program instead of linking the system's.
//! - `csv`: [`export::write_csv`], for spreadsheets.
//! - `r2d2`: [`ConnectionCustomizer`] for Diesel's connection pool.
//! - `postgres`: the log in PostgreSQL, in the module `postgres`.
//! - `postgres-async`: the same as `async fn`s, on a connection of `diesel-async`.
//! - `postgres-bundled`: compiles libpq into the program instead of linking the system's.
//! - `tower`: [`ActorContextLayer`], which gives each request of axum or tower its [`ActorContext`].
//! - `tracing`: [`TracingLayer`], which records chosen events of `tracing`.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "postgres-async")))]
compile_error!("activity-log needs a database: enable its feature `sqlite`, `postgres` or `postgres-async`");

#[doc = include_str!("../docs/async.md")]
// Its snippets are tested in examples/async, which has the other crates that they use.
#[cfg(not(doctest))]
pub mod async_servers {}
#[doc = include_str!("../docs/beside_other_crates.md")]
pub mod beside_other_crates {}
#[doc = include_str!("../docs/by_example.md")]
pub mod by_example {}
#[doc = include_str!("../docs/diesel_cli.md")]
pub mod diesel_cli {}
#[doc = include_str!("../docs/postgres.md")]
#[cfg(any(feature = "postgres", feature = "postgres-async"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "postgres-async"))))]
pub mod in_postgresql {}
mod context;
#[doc = include_str!("../docs/context.md")]
pub mod contexts {}
mod error;
pub mod export;
/// Counts over time: see [`histogram`](Repository::histogram).
pub mod histogram {
    pub use crate::model::histogram::{CalendarUnit, MAX_BUCKETS, calendar_edges, equal_edges};
}
/// For hosts that read entries from JSON text: what the text may contain that Rust's values cannot represent.
///
/// Reading a stored row and [`export::read_ndjson`] do the same: half of a surrogate pair reads as U+FFFD, and metadata
/// with a number that would lose digits is refused, so that a log that is exported and restored never changes.
///
/// ```
/// use activity_log::json::{find_inexact_number, replace_lone_surrogates};
///
/// assert_eq!(*replace_lone_surrogates(br#"{"path":"caf\udce9"}"#), *br#"{"path":"caf\ufffd"}"#);
/// assert_eq!(find_inexact_number(br#"{"id":12345678901234567890123}"#), Some(6));
/// assert_eq!(find_inexact_number(br#"{"ratio":0.1}"#), None);
/// ```
pub mod json {
    pub use crate::model::json::{find_inexact_number, replace_lone_surrogates};
}
#[doc = include_str!("../docs/guarantees.md")]
pub mod guarantees {}
#[doc = include_str!("../docs/erasing.md")]
pub mod erasing {}
mod model;
#[cfg(any(feature = "postgres", feature = "postgres-async"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "postgres-async"))))]
pub mod postgres;
mod recorder;
#[doc = include_str!("../docs/recorder.md")]
pub mod recording {}
mod repository;
/// The table as Diesel sees it, for the host's own queries over the log.
///
/// Import it under another name: `activity_log` is also the name of the crate.
///
/// # Queries
///
/// A query loads [`ActivityLogEntry`] like any other type that is `Queryable` and `Selectable`. To join the log with
/// one of the host's tables, implement Diesel's marker trait for the pair, both ways. (Its macro
/// `allow_tables_to_appear_in_same_query!` does that too, but not for tables of two crates where Diesel's support for
/// PostgreSQL is on.)
///
/// ```
/// use activity_log::schema::activity_log as log;
/// use activity_log::{ActivityLogEntry, ActivityLogRepository, NewActivityLogEntry};
/// use diesel::prelude::*;
///
/// diesel::table! {
///     users (id) {
///         id -> Text,
///         full_name -> Text,
///     }
/// }
/// impl diesel::query_source::TableNotEqual<users::table> for log::table {}
/// impl diesel::query_source::TableNotEqual<log::table> for users::table {}
///
/// #[derive(Queryable, Selectable)]
/// struct User {
///     id: String,
///     full_name: String,
/// }
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// # diesel::sql_query("CREATE TABLE users (id TEXT PRIMARY KEY NOT NULL, full_name TEXT NOT NULL)").execute(&mut conn)?;
/// # diesel::sql_query("INSERT INTO users VALUES ('u7', 'Alice Example')").execute(&mut conn)?;
/// # let entry = NewActivityLogEntry::new("auth", "user.signed_in", "u7", "Signed in");
/// # ActivityLogRepository::new(&mut conn).record(&entry)?;
/// let sign_ins: Vec<(ActivityLogEntry, User)> = log::table
///     .inner_join(users::table.on(users::id.eq(log::actor)))
///     .filter(log::action.eq("user.signed_in"))
///     .order(log::seq.desc())
///     .limit(50)
///     .select((ActivityLogEntry::as_select(), User::as_select()))
///     .load(&mut conn)?;
/// # assert_eq!(sign_ins.len(), 1);
/// for (entry, user) in sign_ins {
///     println!("{} {} signed in", entry.ts, user.full_name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// - After a left join, select `Option::<ActivityLogEntry>::as_select()`.
/// - A row that another program wrote and that cannot be read as an entry fails the whole query. Diesel's error
///   converts into [`Error::UnreadableRow`], which names the row. [`ActivityLogRow`] fails for that row alone.
/// - `ts` holds text that sorts by time: compare it with `time.to_rfc3339_opts(chrono::SecondsFormat::Micros, false)`
///   of a time in UTC.
/// - To use an index that includes the severity, also say `severity IS NOT 'info'`.
/// - Within a time window, order by `ts DESC, seq DESC`, which the index on `ts` serves; `seq DESC` alone sorts the
///   window.
///
/// # Inserts
///
/// [`NewActivityLogRow`] inserts an entry as [`record`](crate::Repository::record) stores it. An insert from a query,
/// for example one that copies a former table of the host's, has to write what the log can read:
///
/// - `id`: unique in the log. A row whose id is taken fails the statement, unless the statement begins with
///   `insert_or_ignore_into`.
/// - `ts`: `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`, with all six digits or, on a whole second, none. The log reads other
///   forms of RFC 3339 too, but filters and prune compare the text.
/// - `severity`: `info`, `warning` or `error`.
/// - `metadata`: a JSON object; `{}` if the column is left out.
/// - `seq`: leave it out. Order the query, and the log numbers the rows in that order.
///
/// ```
/// use activity_log::schema::activity_log as log;
/// use activity_log::{ActivityLogFilters, ActivityLogRepository};
/// use diesel::dsl::sql;
/// use diesel::prelude::*;
/// use diesel::sql_types::Text;
///
/// diesel::table! {
///     events (id) {
///         id -> BigInt,
///         /// In seconds since 1970.
///         happened_at -> BigInt,
///         user_name -> Text,
///         what -> Text,
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// # diesel::sql_query("CREATE TABLE events (id INTEGER PRIMARY KEY, happened_at BIGINT, user_name TEXT, what TEXT)").execute(&mut conn)?;
/// # diesel::sql_query("INSERT INTO events VALUES (7, 1767225600, 'alice', 'Renamed the lamp')").execute(&mut conn)?;
/// let rows = events::table.order(events::id).select((
///     sql::<Text>("'event_' || events.id"),
///     sql::<Text>("strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', events.happened_at, 'unixepoch')"),
///     "system".into_sql::<Text>(),
///     "event".into_sql::<Text>(),
///     "info".into_sql::<Text>(),
///     events::user_name,
///     events::what,
///     sql::<Text>("json_object('event', events.id)"),
/// ));
/// diesel::insert_into(log::table)
///     .values(rows)
///     .into_columns((
///         log::id,
///         log::ts,
///         log::category,
///         log::action,
///         log::severity,
///         log::actor,
///         log::message,
///         log::metadata,
///     ))
///     .execute(&mut conn)?;
///
/// let page = ActivityLogRepository::new(&mut conn).page(&ActivityLogFilters::default(), None, 50)?;
/// assert_eq!(page.entries[0].id, "event_7");
/// assert_eq!(page.entries[0].ts.to_rfc3339(), "2026-01-01T00:00:00+00:00");
/// assert_eq!(page.entries[0].metadata["event"], 7);
/// # Ok(())
/// # }
/// ```
///
/// [`query`](crate::Repository::query) and all other methods find the rows at once. A later `record` or the next start
/// summarizes them.
///
/// # Deletions
///
/// `DELETE FROM activity_log` deletes row by row; [`clear`](crate::Repository::clear) does not.
#[cfg(feature = "sqlite")]
pub mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
#[cfg(feature = "tower")]
mod tower;
#[cfg(feature = "tracing")]
mod tracing;

pub use context::actor_context::ActorContext;
pub use context::in_context::InContext;
pub use error::recorder::RecorderError;
pub use error::{Error, Result};
pub use model::category::ActivityCategory;
pub use model::changes::changes;
pub use model::changes::options::{ChangesOptions, LEFT_OUT};
pub use model::entry::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
pub use model::facet::{Facet, FacetValue, Facets};
pub use model::filters::ActivityLogFilters;
pub use model::histogram::SeverityCounts;
pub use model::limits::EntryLimits;
pub use model::problem::Problem;
pub use model::prune_report::PruneReport;
pub use model::redactor::{REDACTED, Redactor};
pub use model::retention_archive::RetentionArchive;
pub use model::retention_policy::RetentionPolicy;
pub use model::retention_report::{RetentionReport, RuleReport};
pub use model::retention_rule::RetentionRule;
pub use model::severity::{ActivitySeverity, ParseSeverityError};
pub use recorder::Recorder;
pub use recorder::health::{RecorderFailure, RecorderHealth};
pub use recorder::options::RecorderOptions;
pub use recorder::policy::QueuePolicy;
pub use recorder::receipt::Receipt;
pub use recorder::refused::Refused;
pub use recorder::subscription::Subscription;
pub use recorder::unwritten::Unwritten;
pub use recorder::update::{Lagged, Update};
pub use repository::Repository;
pub use repository::retention_hooks::RetentionHooks;
pub use repository::retention_worker::RetentionWorker;
pub use repository::retention_worker::options::RetentionWorkerOptions;
pub use repository::retention_worker::shared::RetentionRun;
#[cfg(feature = "sqlite")]
pub use sqlite::ActivityLogRepository;
#[cfg(feature = "sqlite")]
pub use sqlite::check::check;
#[cfg(feature = "sqlite")]
pub use sqlite::connection::{BUSY_TIMEOUT, configure, connect};
#[cfg(feature = "sqlite")]
pub use sqlite::migrations::MIGRATIONS;
#[cfg(feature = "sqlite")]
pub use sqlite::new_row::NewActivityLogRow;
#[cfg(all(feature = "sqlite", feature = "r2d2"))]
#[cfg_attr(docsrs, doc(cfg(feature = "r2d2")))]
pub use sqlite::pool::ConnectionCustomizer;
#[cfg(feature = "sqlite")]
pub use sqlite::reclaim::reclaim;
#[cfg(feature = "sqlite")]
pub use sqlite::reserve::{RESERVE_BYTES, keep_reserve};
#[cfg(feature = "sqlite")]
pub use sqlite::row::ActivityLogRow;
#[cfg(feature = "sqlite")]
pub use sqlite::search::enable::{disable_search, enable_search};
#[cfg(feature = "sqlite")]
pub use sqlite::segments::unsummarized::unsummarized;
#[cfg(feature = "sqlite")]
pub use sqlite::start_up::{resummarize, run_migrations};
pub use store::Backend;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use tower::future::ActorContextFuture;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use tower::layer::ActorContextLayer;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use tower::service::ActorContextService;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use tracing::filter::TracingFilter;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use tracing::layer::TracingLayer;

/// Compiles and runs what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
