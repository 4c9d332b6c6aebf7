pub(crate) mod export_iter;
mod retention;
pub(crate) mod retention_hooks;
pub(crate) mod retention_worker;

use std::fmt;
use std::iter::FusedIterator;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::model::encoding::Encoding;
use crate::model::entry::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
use crate::model::filters::ActivityLogFilters;
use crate::model::instant;
use crate::model::limits::EntryLimits;
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::model::redactor::Redactor;
use crate::model::retention_policy::RetentionPolicy;
use crate::model::retention_report::RetentionReport;
use crate::repository::export_iter::ExportIter;
use crate::repository::retention_hooks::RetentionHooks;
use crate::store::Backend;
use crate::store::batch::{Batch, ReadLimit};
use crate::store::range::{Order, SeqRange};

/// Writes and reads the log through a connection that it borrows.
///
/// [`ActivityLogRepository`](crate::ActivityLogRepository) names it for one database.
///
/// [`record`](Self::record) joins whatever transaction the caller is in, so the entry is committed exactly when the change
/// that it describes is.
///
/// ```
/// use activity_log::{ActivityCategory, ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
/// use diesel::prelude::*;
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// # diesel::sql_query("CREATE TABLE devices (name TEXT)").execute(&mut conn)?;
/// conn.immediate_transaction::<_, activity_log::Error, _>(|conn| {
///     diesel::sql_query("INSERT INTO devices (name) VALUES ('Lamp')").execute(conn)?;
///     let entry = NewActivityLogEntry::new(ActivityCategory::Device, "device.created", "alice", "Added the lamp");
///     ActivityLogRepository::new(conn).record(&entry)
/// })?;
///
/// let page = ActivityLogRepository::new(&mut conn).page(&ActivityLogFilters::default(), None, 50)?;
/// assert_eq!(page.entries[0].message, "Added the lamp");
/// assert_eq!(page.next_before_seq, None);
/// # Ok(())
/// # }
/// ```
///
/// # Order and cursors
///
/// The log is ordered by `seq`, which the database assigns: strictly ascending in the order of commits, whatever the
/// clocks say. A committed `seq` is never reused, not even after [`clear`](Self::clear). A cursor therefore stays valid
/// forever, even after its row is deleted, and any number is a valid cursor.
///
/// # Transactions
///
/// A transaction that reads before it records should begin with `immediate_transaction`, which waits for other writers.
/// One begun with `transaction` fails with [`Error::Busy`] if another connection has committed since it read.
/// Every method also works inside a transaction that was begun as SQL text.
///
/// # Errors
///
/// Every method returns [`Error::Database`] if the database fails, [`Error::Busy`] if another connection held the lock
/// throughout the busy timeout, and [`Error::Full`] if there is no room. Methods that take filters return
/// [`Error::InvalidFilter`] if these cannot be run.
pub struct Repository<'conn, C> {
    conn: &'conn mut C,
    encoding: Encoding<'conn>,
    page_bytes: usize,
}

/// How many bytes of stored text a page holds by default: 8 MiB.
const PAGE_BYTES: usize = 8 << 20;

impl<'conn, C: Backend> Repository<'conn, C> {
    /// A repository over `conn`, whose database is up to date with
    /// [`run_migrations`](crate::run_migrations).
    pub fn new(conn: &'conn mut C) -> Self {
        Self { conn, encoding: Encoding::default(), page_bytes: PAGE_BYTES }
    }

    /// Limits the size of the entries that this repository records; [`EntryLimits::default`] applies otherwise.
    #[must_use]
    pub fn with_limits(mut self, limits: EntryLimits) -> Self {
        self.encoding.limits = limits;
        self
    }

    /// Masks secrets in the metadata of the entries that this repository records.
    #[must_use]
    pub fn with_redactor(mut self, redactor: &'conn Redactor) -> Self {
        self.encoding.redactor = Some(redactor);
        self
    }

    /// Ends a [`page`](Self::page) after the entry with which it reaches this many bytes of stored text; 8 MiB otherwise.
    #[must_use]
    pub fn with_page_bytes(mut self, bytes: usize) -> Self {
        // A page has at least one entry.
        self.page_bytes = bytes.max(1);
        self
    }

    /// Writes one entry and returns its `seq`.
    ///
    /// Outside a transaction the entry is durable on return, as far as the connection's settings go (see
    /// [`configure`](crate::configure)). Inside one, it is durable once the transaction commits; do not publish the `seq`
    /// before that, because a rollback may reuse it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEntry`] if the entry would not read back or exceeds its limits, [`Error::DuplicateId`] if its id is
    /// taken. Nothing is written then.
    pub fn record(&mut self, entry: &NewActivityLogEntry) -> Result<i64> {
        self.conn.insert(entry, self.encoding)
    }

    /// Writes all entries in their order, or none, and returns how many.
    ///
    /// # Errors
    ///
    /// Those of [`record`](Self::record), with the entry's index. Nothing is written then.
    pub fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> Result<usize> {
        if !entries.is_empty() {
            self.conn.insert_all(entries, self.encoding)?;
        }
        Ok(entries.len())
    }

    /// The newest matching entries older than `before_seq`, newest first, at most `limit`.
    ///
    /// It holds them all in memory, however long they are; [`page`](Self::page) stops at a number of bytes.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] for the newest row that cannot be read; it says how to read the others.
    pub fn query(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        self.read(filters, SeqRange::before(before_seq), Order::Descending, limit.into())?.decode()
    }

    /// Like [`query`](Self::query), with the cursor of the next page if there is one.
    ///
    /// It reads one row more than it returns to know whether there is, so no walk ends in an empty page. A page of long entries
    /// may have fewer than `limit`: it ends at [a number of bytes](Self::with_page_bytes), and its cursor tells that there are
    /// more. A `limit` of 0 returns no entries and no cursor.
    ///
    /// ```
    /// # use activity_log::{ActivityCategory, ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # let mut repository = ActivityLogRepository::new(&mut conn);
    /// # for _ in 0..5 {
    /// #     repository.record(&NewActivityLogEntry::new(ActivityCategory::System, "tick", "cron", "Tick"))?;
    /// # }
    /// let filters = ActivityLogFilters::default();
    /// let mut before_seq = None;
    /// loop {
    ///     let page = repository.page(&filters, before_seq, 2)?;
    ///     for entry in &page.entries {
    ///         println!("{} {}", entry.ts, entry.message);
    ///     }
    ///     before_seq = page.next_before_seq;
    ///     if before_seq.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] for the newest row of the page that cannot be read; it says how to read the others.
    pub fn page(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        if limit == 0 {
            NormalizedFilters::new(filters)?;
            return Ok(ActivityLogPage::default());
        }
        let filters = NormalizedFilters::new(filters)?;
        let rows = usize::try_from(limit).unwrap_or(usize::MAX);
        let limit = ReadLimit { rows: i64::from(limit) + 1, bytes: self.page_bytes };
        let mut batch = Batch::default();
        self.conn.read(&filters, SeqRange::before(before_seq), Order::Descending, limit, &mut batch)?;
        let has_more = if batch.len() > rows {
            batch.truncate(rows);
            true
        } else {
            // It may have ended because of its bytes.
            batch.is_full(limit) && self.has_row_before(&filters, batch.last_seq())?
        };
        let next_before_seq = batch.last_seq().filter(|_| has_more);
        Ok(ActivityLogPage { entries: batch.decode()?, next_before_seq })
    }

    /// The matching entries just newer than `after_seq`, newest first, at most `limit`, with the cursor of the older page if
    /// there is one.
    ///
    /// Like [`page`](Self::page), it ends at [a number of bytes](Self::with_page_bytes). A walk upward goes on after the `seq` of
    /// its first entry until a page is empty.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] for the oldest row of the page that cannot be read; continue from its `seq`.
    pub fn page_after(&mut self, filters: &ActivityLogFilters, after_seq: i64, limit: u32) -> Result<ActivityLogPage> {
        let filters = NormalizedFilters::new(filters)?;
        if limit == 0 {
            return Ok(ActivityLogPage::default());
        }
        let limit = ReadLimit { rows: limit.into(), bytes: self.page_bytes };
        let mut batch = Batch::default();
        self.conn.read(&filters, SeqRange::after(Some(after_seq)), Order::Ascending, limit, &mut batch)?;
        let mut entries = batch.decode()?;
        entries.reverse();
        let oldest = entries.last().map(|entry| entry.seq);
        let next_before_seq = match oldest {
            Some(oldest) if self.has_row_before(&filters, Some(oldest))? => Some(oldest),
            _ => None,
        };
        Ok(ActivityLogPage { entries, next_before_seq })
    }

    fn has_row_before(&mut self, filters: &NormalizedFilters, seq: Option<i64>) -> Result<bool> {
        let mut batch = Batch::default();
        self.conn.read(filters, SeqRange::before(seq), Order::Descending, ReadLimit::rows(1), &mut batch)?;
        Ok(!batch.is_empty())
    }

    /// The oldest matching entries newer than `after_seq`, oldest first, at most `limit`. Followers use it to ask what is
    /// new.
    ///
    /// It holds them all in memory, however long they are; [`page_after`](Self::page_after) stops at a number of bytes.
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// let mut log = ActivityLogRepository::new(&mut conn);
    /// let mut last_seq = log.newest_seq()?.unwrap_or(0);
    /// // Now and then:
    /// for entry in log.query_after(&ActivityLogFilters::default(), last_seq, 500)? {
    ///     println!("{} {}", entry.ts, entry.message);
    ///     last_seq = entry.seq;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] for the oldest row that cannot be read; continue from its `seq`.
    pub fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        self.read(filters, SeqRange::after(Some(after_seq)), Order::Ascending, limit.into())?.decode()
    }

    fn read(
        &mut self,
        filters: &ActivityLogFilters,
        range: SeqRange,
        order: Order,
        rows: i64,
    ) -> Result<Batch<C::Row>> {
        let filters = NormalizedFilters::new(filters)?;
        let mut batch = Batch::default();
        self.conn.read(&filters, range, order, ReadLimit::rows(rows), &mut batch)?;
        Ok(batch)
    }

    /// The `seq` of the newest entry, whether or not it can be read; `None` if the log is empty.
    ///
    /// A follower starts from it: [`query_after`](Self::query_after) then returns only what is recorded later.
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn newest_seq(&mut self) -> Result<Option<i64>> {
        self.conn.newest_seq()
    }

    /// How many entries match, including those that cannot be read.
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn count(&mut self, filters: &ActivityLogFilters) -> Result<u64> {
        self.conn.count(&NormalizedFilters::new(filters)?, None)
    }

    /// How many entries match, but at most `limit`: for a page that says "1,000+".
    ///
    /// [`count`](Self::count) may take longer the more it counts; this method stops at the limit.
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// let shown = match ActivityLogRepository::new(&mut conn).count_up_to(&ActivityLogFilters::default(), 1_001)? {
    ///     1_001.. => "1,000+".to_owned(),
    ///     count => count.to_string(),
    /// };
    /// assert_eq!(shown, "0");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn count_up_to(&mut self, filters: &ActivityLogFilters, limit: u64) -> Result<u64> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.conn.count(&NormalizedFilters::new(filters)?, Some(limit))
    }

    /// Deletes the entries older than `before_ts`, then all but the newest `max_entries` by `seq`, and returns how many.
    /// Both limits apply to the log as it stood when the prune began. If both are `None`, nothing is deleted.
    ///
    /// If nothing is due, it takes no write lock. Otherwise it deletes in short transactions that aim at 20 ms each and
    /// pauses as long between them, so that writers on other connections get their turn. It waits for the lock up to
    /// twelve times the connection's busy timeout per transaction. Inside a caller's transaction it is part of that one,
    /// which holds the lock until it ends.
    ///
    /// A clock that is far ahead makes every entry old: with `Utc::now() - TimeDelta::days(365)`, a clock 400 days ahead empties
    /// the log. [`apply_retention`](Self::apply_retention) can keep the newest entries whatever the clock says; it also has
    /// ages for each category and severity, ends when it is told to, and archives what it deletes.
    ///
    /// An entry that a foreign key or a trigger of the host's holds back stays, and all others that are due are deleted.
    ///
    /// # Errors
    ///
    /// If the database fails on the way, what is already deleted stays deleted: prune again.
    pub fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<u64> {
        Ok(self.prune_with_report(before_ts, max_entries)?.deleted)
    }

    /// Like [`prune`](Self::prune), and also reports how many entries were held back.
    ///
    /// # Errors
    ///
    /// Those of [`prune`](Self::prune).
    pub fn prune_with_report(
        &mut self,
        before_ts: Option<DateTime<Utc>>,
        max_entries: Option<u64>,
    ) -> Result<PruneReport> {
        self.conn.prune(before_ts.map(instant::round_up), max_entries)
    }

    /// Deletes what is due by the policy at `now`, usually `Utc::now()`, until `stop` is set.
    ///
    /// It looks at the log as it stood when the run began: entries recorded later stay. It deletes like
    /// [`prune`](Self::prune), in short transactions with pauses between them. Between two of them it looks at `stop`, as it does
    /// while it reads, pauses or waits for the lock. What is deleted by then stays deleted, and the next run goes on. Inside a
    /// caller's transaction it is part of that one and makes no pauses.
    ///
    /// [`RetentionWorker`](crate::RetentionWorker) applies a policy on a schedule, in a thread of its own. In a job of the
    /// host's own, set the flag where the host handles SIGTERM:
    ///
    /// ```
    /// use std::sync::atomic::AtomicBool;
    ///
    /// use activity_log::{ActivityCategory, ActivityLogRepository, RetentionPolicy};
    /// use chrono::{TimeDelta, Utc};
    ///
    /// /// Set by the host's handler of SIGTERM.
    /// static SHUTTING_DOWN: AtomicBool = AtomicBool::new(false);
    ///
    /// fn nightly_job(log: &mut ActivityLogRepository<'_>) -> activity_log::Result<()> {
    ///     let policy = RetentionPolicy::new()
    ///         .max_age(TimeDelta::days(365))
    ///         .category(ActivityCategory::Auth, TimeDelta::days(730))
    ///         .max_entries(1_000_000)
    ///         .keep_at_least(10_000);
    ///     let report = log.apply_retention(&policy, Utc::now(), &SHUTTING_DOWN)?;
    ///     for rule in &report.rules {
    ///         println!("{}: {} deleted, {} held back", rule.rule, rule.deleted, rule.held_back);
    ///     }
    ///     Ok(())
    /// }
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # nightly_job(&mut ActivityLogRepository::new(&mut conn))
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPolicy`] if the policy has a negative age or too many categories; nothing is deleted then. If the database fails on the way,
    /// what is already deleted stays deleted: apply it again.
    pub fn apply_retention(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
    ) -> Result<RetentionReport> {
        self.apply_retention_with(policy, now, stop, RetentionHooks::new())
    }

    /// Like [`apply_retention`](Self::apply_retention), with an archive for what is deleted, or a callback for the progress.
    ///
    /// # Errors
    ///
    /// Those of [`apply_retention`](Self::apply_retention), and [`Error::Output`] if the archive fails. Nothing of the batch that
    /// it was handed is deleted then.
    pub fn apply_retention_with(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
        hooks: RetentionHooks<'_>,
    ) -> Result<RetentionReport> {
        retention::apply(self.conn, policy, now, stop, hooks)
    }

    /// Deletes every entry in one transaction and returns how many.
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn clear(&mut self) -> Result<u64> {
        self.conn.clear()
    }

    /// The matching entries by `seq` ascending, up to the newest entry at the time of the call.
    ///
    /// It reads in batches of at most 512 rows or about a megabyte. It holds one batch at a time and no transaction
    /// between batches, so a slow reader blocks nobody. Rows deleted meanwhile may be missing.
    ///
    /// An item is an [`Error::UnreadableRow`] in the place of a row that cannot be read, and the rows after it follow. Any
    /// other error comes from the database and is the last item.
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// for entry in ActivityLogRepository::new(&mut conn).iter_export(&ActivityLogFilters::default())? {
    ///     println!("{}", entry?.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn iter_export<'a>(
        &'a mut self,
        filters: &ActivityLogFilters,
    ) -> Result<impl FusedIterator<Item = Result<ActivityLogEntry>> + use<'a, 'conn, C>> {
        ExportIter::begin(self.conn, NormalizedFilters::new(filters)?)
    }
}

impl<C> fmt::Debug for Repository<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").finish_non_exhaustive()
    }
}
