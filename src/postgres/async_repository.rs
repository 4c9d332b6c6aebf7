//! The repository of async programs.

use std::fmt;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use futures_util::Stream;
use futures_util::stream::unfold;

use crate::error::Result;
use crate::model::entry::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
use crate::model::facet::{Facet, Facets};
use crate::model::filters::ActivityLogFilters;
use crate::model::histogram::SeverityCounts;
use crate::model::limits::EntryLimits;
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::model::redactor::Redactor;
use crate::model::retention_policy::RetentionPolicy;
use crate::model::retention_report::RetentionReport;
use crate::repository::export_iter::Export;
use crate::repository::log::Log;
use crate::repository::retention;
use crate::repository::retention_hooks::RetentionHooks;

/// Writes and reads a log in PostgreSQL from an async program, through a connection that it borrows.
///
/// Each method does what the method of the same name of [`Repository`](crate::Repository) does, with the same statements
/// and the same errors; read about its order, bounds and errors there. What runs inside one of the connection's
/// transactions is part of it.
///
/// A future may be dropped at any time. The connection stays usable and is in no transaction that it was not in before;
/// what the future was to write is written in full or not at all, or, with `prune`, `apply_retention` and the rewriting
/// methods, up to the last step.
///
/// ```no_run
/// use activity_log::postgres::AsyncActivityLogRepository;
/// use activity_log::{ActivityLogFilters, NewActivityLogEntry};
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/server").await?;
/// conn.transaction::<_, activity_log::Error, _>(async |conn| {
///     // The change that the entry describes goes here.
///     let entry = NewActivityLogEntry::new("device", "device.created", "alice", "Added the lamp");
///     AsyncActivityLogRepository::new(conn).record(&entry).await
/// })
/// .await?;
///
/// let page = AsyncActivityLogRepository::new(&mut conn).page(&ActivityLogFilters::default(), None, 50).await?;
/// assert_eq!(page.entries[0].action, "device.created");
/// # Ok(())
/// # }
/// ```
pub struct AsyncActivityLogRepository<'conn> {
    log: Log<'conn, AsyncPgConnection>,
}

impl<'conn> AsyncActivityLogRepository<'conn> {
    /// A repository over `conn` with the default limits and without a redactor.
    pub fn new(conn: &'conn mut AsyncPgConnection) -> Self {
        Self { log: Log::new(conn) }
    }

    /// Replaces the limits of the entries recorded from now on: see [`with_limits`](crate::Repository::with_limits).
    #[must_use]
    pub fn with_limits(self, limits: EntryLimits) -> Self {
        Self { log: self.log.with_limits(limits) }
    }

    /// Masks secrets in the metadata of the entries recorded from now on: see
    /// [`with_redactor`](crate::Repository::with_redactor).
    #[must_use]
    pub fn with_redactor(self, redactor: &'conn Redactor) -> Self {
        Self { log: self.log.with_redactor(redactor) }
    }

    /// Replaces the number of bytes at which a page ends: see [`with_page_bytes`](crate::Repository::with_page_bytes).
    #[must_use]
    pub fn with_page_bytes(self, bytes: usize) -> Self {
        Self { log: self.log.with_page_bytes(bytes) }
    }

    /// Leaves old texts in unused parts of the table's files when entries are rewritten: see
    /// [`without_vacuum`](crate::Repository::without_vacuum).
    #[must_use]
    pub fn without_vacuum(self) -> Self {
        Self { log: self.log.without_vacuum() }
    }

    /// Records an entry and returns its `seq`: see [`record`](crate::Repository::record).
    ///
    /// # Errors
    ///
    /// Those of [`record`](crate::Repository::record).
    pub async fn record(&mut self, entry: &NewActivityLogEntry) -> Result<i64> {
        self.log.record(entry).await
    }

    /// Records all entries or none: see [`record_all`](crate::Repository::record_all).
    ///
    /// # Errors
    ///
    /// Those of [`record_all`](crate::Repository::record_all).
    pub async fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> Result<usize> {
        self.log.record_all(entries).await
    }

    /// The newest matching entries older than the cursor, newest first: see [`query`](crate::Repository::query).
    ///
    /// # Errors
    ///
    /// Those of [`query`](crate::Repository::query).
    pub async fn query(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        self.log.query(filters, before_seq, limit).await
    }

    /// A page of entries older than the cursor, newest first: see [`page`](crate::Repository::page).
    ///
    /// # Errors
    ///
    /// Those of [`page`](crate::Repository::page).
    pub async fn page(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        self.log.page(filters, before_seq, limit).await
    }

    /// The page just newer than the cursor, newest first: see [`page_after`](crate::Repository::page_after).
    ///
    /// # Errors
    ///
    /// Those of [`page_after`](crate::Repository::page_after).
    pub async fn page_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        self.log.page_after(filters, after_seq, limit).await
    }

    /// The oldest matching entries newer than the cursor, oldest first: see
    /// [`query_after`](crate::Repository::query_after).
    ///
    /// # Errors
    ///
    /// Those of [`query_after`](crate::Repository::query_after).
    pub async fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        self.log.query_after(filters, after_seq, limit).await
    }

    /// The entry with this id: see [`get`](crate::Repository::get).
    ///
    /// # Errors
    ///
    /// Those of [`get`](crate::Repository::get).
    pub async fn get(&mut self, id: &str) -> Result<Option<ActivityLogEntry>> {
        self.log.get(id).await
    }

    /// The `seq` to follow the log from: see [`newest_seq`](crate::Repository::newest_seq).
    ///
    /// # Errors
    ///
    /// Those of [`newest_seq`](crate::Repository::newest_seq).
    pub async fn newest_seq(&mut self) -> Result<Option<i64>> {
        self.log.newest_seq().await
    }

    /// The greatest `seq` that was given: see [`last_given_seq`](crate::Repository::last_given_seq).
    ///
    /// # Errors
    ///
    /// Those of [`last_given_seq`](crate::Repository::last_given_seq).
    pub async fn last_given_seq(&mut self) -> Result<Option<i64>> {
        self.log.last_given_seq().await
    }

    /// How many entries match: see [`count`](crate::Repository::count).
    ///
    /// # Errors
    ///
    /// Those of [`count`](crate::Repository::count).
    pub async fn count(&mut self, filters: &ActivityLogFilters) -> Result<u64> {
        self.log.count(filters, None).await
    }

    /// How many entries match, counted no further than `limit`: see [`count_up_to`](crate::Repository::count_up_to).
    ///
    /// # Errors
    ///
    /// Those of [`count_up_to`](crate::Repository::count_up_to).
    pub async fn count_up_to(&mut self, filters: &ActivityLogFilters, limit: u64) -> Result<u64> {
        self.log.count(filters, Some(limit)).await
    }

    /// The most frequent values of a field among the matching entries: see [`facets`](crate::Repository::facets).
    ///
    /// # Errors
    ///
    /// Those of [`facets`](crate::Repository::facets).
    pub async fn facets(&mut self, filters: &ActivityLogFilters, facet: Facet, limit: u32) -> Result<Facets> {
        self.log.facets(filters, facet, limit).await
    }

    /// How many entries match between each two neighbouring edges, by severity: see
    /// [`histogram`](crate::Repository::histogram).
    ///
    /// # Errors
    ///
    /// Those of [`histogram`](crate::Repository::histogram).
    pub async fn histogram(
        &mut self,
        filters: &ActivityLogFilters,
        edges: &[DateTime<Utc>],
    ) -> Result<Vec<SeverityCounts>> {
        self.log.histogram(filters, edges).await
    }

    /// Deletes old entries and returns how many: see [`prune`](crate::Repository::prune).
    ///
    /// # Errors
    ///
    /// Those of [`prune`](crate::Repository::prune).
    pub async fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<u64> {
        Ok(self.log.prune(before_ts, max_entries).await?.deleted)
    }

    /// Deletes old entries, and also reports how many were due and stay: see
    /// [`prune_with_report`](crate::Repository::prune_with_report).
    ///
    /// # Errors
    ///
    /// Those of [`prune_with_report`](crate::Repository::prune_with_report).
    pub async fn prune_with_report(
        &mut self,
        before_ts: Option<DateTime<Utc>>,
        max_entries: Option<u64>,
    ) -> Result<PruneReport> {
        self.log.prune(before_ts, max_entries).await
    }

    /// Deletes what is due by the policy until `stop` is set: see
    /// [`apply_retention`](crate::Repository::apply_retention). Dropping the future stops it as well.
    ///
    /// # Errors
    ///
    /// Those of [`apply_retention`](crate::Repository::apply_retention).
    pub async fn apply_retention(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
    ) -> Result<RetentionReport> {
        self.apply_retention_with(policy, now, stop, RetentionHooks::new()).await
    }

    /// The same with hooks: see [`apply_retention_with`](crate::Repository::apply_retention_with). The archive is a
    /// blocking writer: use a file, and not the network.
    ///
    /// # Errors
    ///
    /// Those of [`apply_retention_with`](crate::Repository::apply_retention_with).
    pub async fn apply_retention_with(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
        hooks: RetentionHooks<'_>,
    ) -> Result<RetentionReport> {
        retention::apply(self.log.conn, policy, now, stop, hooks).await
    }

    /// Passes each matching entry to `change` and stores the result: see [`rewrite`](crate::Repository::rewrite).
    ///
    /// # Errors
    ///
    /// Those of [`rewrite`](crate::Repository::rewrite).
    pub async fn rewrite(
        &mut self,
        filters: &ActivityLogFilters,
        change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64> {
        self.log.rewrite(filters, change).await
    }

    /// Replaces an actor in their own entries: see [`erase_actor`](crate::Repository::erase_actor).
    ///
    /// # Errors
    ///
    /// Those of [`erase_actor`](crate::Repository::erase_actor).
    pub async fn erase_actor(&mut self, actor: &str, replacement: &str) -> Result<u64> {
        self.log.erase_actor(actor, replacement).await
    }

    /// Replaces texts in the entries of everybody: see [`erase_texts`](crate::Repository::erase_texts).
    ///
    /// # Errors
    ///
    /// Those of [`erase_texts`](crate::Repository::erase_texts).
    pub async fn erase_texts(&mut self, texts: &[&str], replacement: &str) -> Result<u64> {
        self.log.erase_texts(texts, replacement).await
    }

    /// Deletes all entries and returns how many: see [`clear`](crate::Repository::clear).
    ///
    /// # Errors
    ///
    /// Those of [`clear`](crate::Repository::clear).
    pub async fn clear(&mut self) -> Result<u64> {
        self.log.clear().await
    }

    /// All matching entries by `seq` ascending, one batch at a time: see [`iter_export`](crate::Repository::iter_export).
    ///
    /// The stream holds no transaction between batches, so its reader may be as slow as it likes.
    ///
    /// # Errors
    ///
    /// Those of [`iter_export`](crate::Repository::iter_export).
    pub async fn stream_export<'a>(
        &'a mut self,
        filters: &ActivityLogFilters,
    ) -> Result<impl Stream<Item = Result<ActivityLogEntry>> + Send + use<'a, 'conn>> {
        let export = Export::begin(self.log.conn, NormalizedFilters::new(filters)?).await?;
        Ok(unfold((export, &mut *self.log.conn), async |(mut export, conn)| {
            let entry = export.next(conn).await?;
            Some((entry, (export, conn)))
        }))
    }
}

impl fmt::Debug for AsyncActivityLogRepository<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncActivityLogRepository").finish_non_exhaustive()
    }
}
