pub(crate) mod export_iter;
pub(crate) mod log;
mod page;
pub(crate) mod retention;
pub(crate) mod retention_hooks;
pub(crate) mod retention_worker;
mod settled;

use std::fmt;
use std::iter::FusedIterator;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};

#[cfg(doc)]
use crate::error::Error;
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
use crate::repository::export_iter::ExportIter;
use crate::repository::log::Log;
use crate::repository::retention_hooks::RetentionHooks;
use crate::store::Backend;
use crate::store::blocking::run;

/// Writes and reads the log through a connection that it borrows.
///
/// [`ActivityLogRepository`](crate::ActivityLogRepository) names it for one database.
///
/// [`record`](Self::record) joins whatever transaction the caller is in, so the entry is committed exactly when the
/// change that it describes is.
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
/// The log is ordered by `seq`, which the database assigns in ascending order, whatever the clocks say. A committed `seq`
/// is never reused, not even after [`clear`](Self::clear). A cursor therefore stays valid forever, even after its row is
/// deleted, and any number is a valid cursor.
///
/// Where only one transaction at a time can write, that is also the order of commits. Where several can, an entry may
/// become visible after others with a greater `seq`. [`query_after`](Self::query_after),
/// [`page_after`](Self::page_after) and [`newest_seq`](Self::newest_seq) take care of that: they wait up to a second for
/// the transactions that are writing to the log, so that a follower misses no entry.
///
/// # Transactions
///
/// Where only one transaction at a time can write, a transaction that reads before it records should begin with
/// `immediate_transaction`, which waits for other writers. One begun with `transaction` fails with [`Error::Busy`] if
/// another connection has committed since it read. Every method also works inside a transaction that was begun as SQL text.
///
/// # Errors
///
/// Every method returns [`Error::Database`] if the database fails, [`Error::Busy`] if another connection held the lock
/// throughout the busy timeout, and [`Error::Full`] if there is no room. Methods that take filters return
/// [`Error::InvalidFilter`] if the filters cannot be run.
pub struct Repository<'conn, C> {
    log: Log<'conn, C>,
}

impl<'conn, C: Backend> Repository<'conn, C> {
    /// A repository over `conn`, whose database is up to date with
    /// [`run_migrations`](crate::run_migrations).
    pub fn new(conn: &'conn mut C) -> Self {
        Self { log: Log::new(conn) }
    }

    /// Limits the size of the entries that this repository records; [`EntryLimits::default`] applies otherwise.
    #[must_use]
    pub fn with_limits(self, limits: EntryLimits) -> Self {
        Self { log: self.log.with_limits(limits) }
    }

    /// Masks secrets in the metadata of the entries that this repository records.
    #[must_use]
    pub fn with_redactor(self, redactor: &'conn Redactor) -> Self {
        Self { log: self.log.with_redactor(redactor) }
    }

    /// Ends a [`page`](Self::page) after the entry that brings it to this many bytes of stored text. The default is 8
    /// MiB.
    #[must_use]
    pub fn with_page_bytes(self, bytes: usize) -> Self {
        Self { log: self.log.with_page_bytes(bytes) }
    }

    /// Leaves out `VACUUM` at the end of [`rewrite`](Self::rewrite) and [`erase_actor`](Self::erase_actor), for a
    /// database so large that the host prefers to run `VACUUM` at a time of its choice. Free pages and indexes are
    /// still overwritten. Until the host runs `VACUUM`, parts of entries that were deleted or changed earlier may stay
    /// in unused parts of other pages, where no query finds them.
    #[must_use]
    pub fn without_vacuum(self) -> Self {
        Self { log: self.log.without_vacuum() }
    }

    /// Writes one entry and returns its `seq`.
    ///
    /// Outside a transaction the entry is durable on return, as far as the connection's settings go (see
    /// [`configure`](crate::configure)). Inside one, it is durable once the transaction commits; do not publish the
    /// `seq` before that, because a rollback may reuse it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEntry`] if the entry would not read back or exceeds its limits, [`Error::DuplicateId`] if its id
    /// is taken. Nothing is written then.
    pub fn record(&mut self, entry: &NewActivityLogEntry) -> Result<i64> {
        run(self.log.record(entry))
    }

    /// Writes all entries in their order, or none, and returns how many.
    ///
    /// # Errors
    ///
    /// Those of [`record`](Self::record), with the index of the first entry at fault. Nothing is written then.
    pub fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> Result<usize> {
        run(self.log.record_all(entries))
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
        run(self.log.query(filters, before_seq, limit))
    }

    /// Like [`query`](Self::query), but also returns the cursors of the next (older) page and of the previous (newer)
    /// page, where there are such pages.
    ///
    /// [`ActivityLogPage::next_before_seq`] is the `before_seq` of the next page, and
    /// [`prev_after_seq`](ActivityLogPage::prev_after_seq) is the `after_seq` with which
    /// [`page_after`](Self::page_after) returns the previous one. A cursor is `None` exactly when nothing matches on
    /// that side, so no walk ends in an empty page. An empty page still has the cursor that leads back.
    ///
    /// A page of long entries may have fewer than `limit`: it ends at [a number of bytes](Self::with_page_bytes), and
    /// its cursor says that there are more. A `limit` of 0 returns no entries and no cursors.
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
        run(self.log.page(filters, before_seq, limit))
    }

    /// The matching entries just newer than `after_seq`, newest first, at most `limit`, with the cursors that
    /// [`page`](Self::page) returns.
    ///
    /// The page also ends at [a number of bytes](Self::with_page_bytes). A `limit` of 0 returns no entries and no
    /// cursors. To follow the log, use [`query_after`](Self::query_after): it does not look for older entries, which
    /// takes long where few match.
    ///
    /// ```
    /// # use activity_log::{ActivityCategory, ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # let mut log = ActivityLogRepository::new(&mut conn);
    /// # for _ in 0..5 {
    /// #     log.record(&NewActivityLogEntry::new(ActivityCategory::System, "tick", "cron", "Tick"))?;
    /// # }
    /// let filters = ActivityLogFilters::default();
    /// let newest = log.page(&filters, None, 2)?;
    /// assert_eq!(newest.prev_after_seq, None);
    ///
    /// let older = log.page(&filters, newest.next_before_seq, 2)?;
    /// if let Some(after_seq) = older.prev_after_seq {
    ///     assert_eq!(log.page_after(&filters, after_seq, 2)?, newest);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] for the oldest row of the page that cannot be read; continue from its `seq`.
    /// [`Error::CannotFollow`] where the log cannot be followed.
    pub fn page_after(&mut self, filters: &ActivityLogFilters, after_seq: i64, limit: u32) -> Result<ActivityLogPage> {
        run(self.log.page_after(filters, after_seq, limit))
    }

    /// The oldest matching entries newer than `after_seq`, oldest first, at most `limit`. Followers use it to poll for
    /// new entries.
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
    /// [`Error::CannotFollow`] where the log cannot be followed.
    pub fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        run(self.log.query_after(filters, after_seq, limit))
    }

    /// The entry with this `id`, if the log holds one.
    ///
    /// ```
    /// # use activity_log::{ActivityLogRepository, NewActivityLogEntry};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// let entry = NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in");
    /// let mut log = ActivityLogRepository::new(&mut conn);
    /// log.record(&entry)?;
    /// assert_eq!(log.get(&entry.id)?.map(|entry| entry.actor), Some("alice".to_owned()));
    /// assert_eq!(log.get("al_another")?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] if the row with this id cannot be read.
    pub fn get(&mut self, id: &str) -> Result<Option<ActivityLogEntry>> {
        run(self.log.get(id))
    }

    /// The `seq` of the newest entry, whether or not it can be read; `None` if the log is empty.
    ///
    /// A follower starts from it: [`query_after`](Self::query_after) then returns only what becomes visible later. It may
    /// be lower than the newest visible `seq`, while entries with lower numbers may still become visible.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if transactions that write to the log stay open for longer than a second, and
    /// [`Error::CannotFollow`] where the log cannot be followed.
    pub fn newest_seq(&mut self) -> Result<Option<i64>> {
        run(self.log.newest_seq())
    }

    /// The greatest `seq` that the log has given to an entry, whether or not it still holds that entry; `None` before the
    /// first one.
    ///
    /// A follower whose cursor is greater comes from another log: this one was restored from an older copy, or begun
    /// again. The entry with this `seq` may not be visible yet, or may have been rolled back.
    ///
    /// ```
    /// # use activity_log::{ActivityLogRepository, NewActivityLogEntry};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// let mut log = ActivityLogRepository::new(&mut conn);
    /// assert_eq!(log.last_given_seq()?, None);
    /// log.record(&NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"))?;
    /// log.clear()?;
    /// assert_eq!(log.newest_seq()?, None);
    /// assert_eq!(log.last_given_seq()?, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn last_given_seq(&mut self) -> Result<Option<i64>> {
        run(self.log.last_given_seq())
    }

    /// How many entries match, including those that cannot be read.
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn count(&mut self, filters: &ActivityLogFilters) -> Result<u64> {
        run(self.log.count(filters, None))
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
        run(self.log.count(filters, Some(limit)))
    }

    /// The most frequent values of one field among the matching entries, with the number of entries for each value. The
    /// field is the category, severity, action, actor or entity type.
    ///
    /// It returns at most `limit` values, the most frequent first, and says whether there are more. Use it to fill the
    /// menus of a page.
    ///
    /// Filters by the same field apply as well: to list all categories beside the chosen ones, leave `categories`
    /// empty.
    ///
    /// Where the database keeps summaries of the entries, it adds these up, which takes a few milliseconds per million
    /// entries. It takes more time and memory where the facet or the filters have thousands of different values.
    /// Without summaries, and with `entity_id`, `message_contains` or `metadata`, it reads the entries one by one, like
    /// [`count`](Self::count).
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
    /// use activity_log::Facet;
    ///
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # let mut log = ActivityLogRepository::new(&mut conn);
    /// # for category in ["auth", "device", "device"] {
    /// #     log.record(&NewActivityLogEntry::new(category, "a", "b", "c"))?;
    /// # }
    /// let facets = log.facets(&ActivityLogFilters::default(), Facet::Category, 10)?;
    /// let menu = facets.values.iter().map(|value| format!("{} ({})", value.value, value.entries)).collect::<Vec<_>>();
    /// assert_eq!(menu, ["device (2)", "auth (1)"]);
    /// assert!(!facets.more);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn facets(&mut self, filters: &ActivityLogFilters, facet: Facet, limit: u32) -> Result<Facets> {
        run(self.log.facets(filters, facet, limit))
    }

    /// Counts the matching entries of each severity between each pair of neighbouring `edges`: at or after the first
    /// edge of the pair and before the second. There is one bucket fewer than there are edges.
    ///
    /// [`equal_edges`](crate::histogram::equal_edges) and [`calendar_edges`](crate::histogram::calendar_edges) compute
    /// edges. The counts are exact. Where the database keeps summaries of the entries, most of each count adds these up;
    /// where an edge falls between the entries of a summary, it looks into those entries. Without summaries, and with
    /// `entity_id`, `message_contains` or `metadata`, it reads the entries one by one, like [`count`](Self::count).
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
    /// use activity_log::histogram::{CalendarUnit, calendar_edges};
    /// use chrono::{FixedOffset, TimeDelta, Utc};
    ///
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # let mut log = ActivityLogRepository::new(&mut conn);
    /// # log.record(&NewActivityLogEntry::new("auth", "a", "b", "c"))?;
    /// let berlin = FixedOffset::east_opt(3_600).expect("an offset");
    /// let edges = calendar_edges(Utc::now() - TimeDelta::days(29), Utc::now(), CalendarUnit::Day, berlin)?;
    /// let days = log.histogram(&ActivityLogFilters::default(), &edges)?;
    /// assert_eq!(days.len(), 30);
    /// assert_eq!(days[29].info, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`] for the field `edges` if there are fewer than 2 or more than
    /// [`MAX_BUCKETS`](crate::histogram::MAX_BUCKETS) + 1, or if one is before the edge in front of it.
    pub fn histogram(&mut self, filters: &ActivityLogFilters, edges: &[DateTime<Utc>]) -> Result<Vec<SeverityCounts>> {
        run(self.log.histogram(filters, edges))
    }

    /// Deletes the entries older than `before_ts`, then all but the newest `max_entries` by `seq`, and returns how
    /// many. Both limits apply to the log as it stood when the prune began. If both are `None`, nothing is deleted.
    ///
    /// If nothing is due, it takes no write lock. Otherwise it deletes in short transactions, so that writers on other
    /// connections get their turn. In a database that one connection at a time can write to, these aim at 20 ms each,
    /// with pauses as long between them, and it waits for the lock up to twelve times the connection's busy timeout per
    /// transaction. Inside a caller's transaction, the prune is part of that transaction, which holds its locks until
    /// it ends.
    ///
    /// A clock that is far ahead makes every entry old: with `Utc::now() - TimeDelta::days(365)`, a clock 400 days
    /// ahead empties the log. [`apply_retention`](Self::apply_retention) can keep the newest entries whatever the clock
    /// says; it also has ages for each category and severity, ends when it is told to, and can archive what it deletes.
    ///
    /// An entry that a foreign key or a trigger of the host's holds back stays, and all others that are due are
    /// deleted.
    ///
    /// # Errors
    ///
    /// If the database fails partway, what is already deleted stays deleted: prune again.
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
        run(self.log.prune(before_ts, max_entries))
    }

    /// Deletes what is due by the policy at `now`, usually `Utc::now()`, until `stop` is set.
    ///
    /// The run looks at the log as it stood when the run began: entries recorded later stay. It deletes like
    /// [`prune`](Self::prune), in short transactions with pauses between them. It checks `stop` between two
    /// transactions, and also while it reads, pauses or waits for the lock. What it has deleted by then stays deleted,
    /// and the next run continues. Inside a caller's transaction, the run is part of that transaction and does not
    /// pause.
    ///
    /// [`RetentionWorker`](crate::RetentionWorker) applies a policy on a schedule, in a thread of its own. If the host
    /// runs the job itself, set the flag where the host handles SIGTERM:
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
    /// [`Error::InvalidPolicy`] if the policy has a negative age or too many categories; nothing is deleted then. If
    /// the database fails partway, what is already deleted stays deleted: apply it again.
    pub fn apply_retention(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
    ) -> Result<RetentionReport> {
        self.apply_retention_with(policy, now, stop, RetentionHooks::new())
    }

    /// Like [`apply_retention`](Self::apply_retention), with an archive for what is deleted, a callback for the
    /// progress, or both.
    ///
    /// # Errors
    ///
    /// Those of [`apply_retention`](Self::apply_retention), and [`Error::Output`] if the archive fails. Nothing of the
    /// batch passed to the archive is deleted then.
    pub fn apply_retention_with(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
        hooks: RetentionHooks<'_>,
    ) -> Result<RetentionReport> {
        run(retention::apply(self.log.conn, policy, now, stop, hooks))
    }

    /// Passes each matching entry to `change`, stores the result, and returns how many entries changed. Use it to erase
    /// a person or a secret: afterwards, no table, index or summary contains the old text. [Erasing a
    /// person](crate::erasing) says what else to consider.
    ///
    /// Entries keep their `seq`, `id` and `ts`, whatever `change` does to them. `change` is called for each matching
    /// entry, the oldest first, up to the entry that was the newest when `rewrite` was called. It runs within a
    /// transaction, so it should be fast. The redactor of this repository masks secrets in the changed entries; limits
    /// do not apply.
    ///
    /// `rewrite` works in short transactions, like [`prune`](Self::prune). It then brings summaries and search index up
    /// to date, or rebuilds them, which may take several seconds per million entries; reading is slower meanwhile, and a
    /// writer may wait for some of that time.
    /// At the end it cleans the unused parts of the database's files, usually with `VACUUM`, which needs as much free
    /// disk as what it cleans takes and blocks writers for a few seconds per gigabyte.
    /// [`without_vacuum`](Self::without_vacuum) leaves the `VACUUM` out. All this happens even if no entry matches, so
    /// after a failure partway, call `rewrite` again. Inside a caller's transaction it cannot clean the file: call it
    /// again after the commit.
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # let mut log = ActivityLogRepository::new(&mut conn);
    /// # log.record(&NewActivityLogEntry::new("auth", "user.created", "bob", "Created alice").entity("user", "alice"))?;
    /// let about_alice = ActivityLogFilters {
    ///     entity_type: Some("user".to_owned()),
    ///     entity_id: Some("alice".to_owned()),
    ///     ..ActivityLogFilters::default()
    /// };
    /// let rewritten = log.rewrite(&about_alice, |entry| {
    ///     entry.entity_id = Some("erased user".to_owned());
    ///     entry.entity_name = None;
    ///     entry.message = entry.message.replace("alice", "erased user");
    /// })?;
    /// assert_eq!(rewritten, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::UnreadableRow`] or [`Error::NotRewritten`] for the oldest matching entry that stays as it is: because
    ///   it cannot be read, because it cannot be stored as `change` left it, or because a trigger or a foreign key of
    ///   the host's prevents the change. All matching entries that can be rewritten are.
    /// - [`Error::Full`] if there is no room to rewrite all entries or to clean the file. Entries that are already
    ///   rewritten stay so.
    /// - [`Error::Busy`] if a writer holds the lock for long, or if a reader keeps the write-ahead log from being
    ///   emptied, which is the last step.
    pub fn rewrite(
        &mut self,
        filters: &ActivityLogFilters,
        change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64> {
        run(self.log.rewrite(filters, change))
    }

    /// Replaces an actor in all of that actor's entries, and returns how many entries changed. In the same entries, it
    /// also replaces the name in the entity's id and name, the message and the metadata, wherever the name is a whole
    /// word: where no letter or digit is next to it. There, ASCII letters match in either case. Numbers in the metadata
    /// count as words.
    ///
    /// Entries of other actors may also mention the person: [`erase_texts`](Self::erase_texts) changes those too.
    /// [`rewrite`](Self::rewrite) explains how erasing works. To call several of these methods in a row, leave out
    /// `VACUUM` in all but the last.
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # let mut log = ActivityLogRepository::new(&mut conn);
    /// # log.record(&NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"))?;
    /// assert_eq!(log.erase_actor("alice", "erased user 7")?, 1);
    /// # assert_eq!(log.query(&ActivityLogFilters::default(), None, 1)?[0].message, "erased user 7 signed in");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`rewrite`](Self::rewrite), and [`Error::InvalidFilter`] for the field `actor` if `actor` or
    /// `replacement` is empty.
    pub fn erase_actor(&mut self, actor: &str, replacement: &str) -> Result<u64> {
        run(self.log.erase_actor(actor, replacement))
    }

    /// Replaces texts that name a person, such as a user name, an id and an e-mail address, in the entries of all actors, and
    /// returns how many entries these were. It replaces each text wherever it appears as a whole word in the actor, the entity's
    /// id and name, the message and the metadata, like [`erase_actor`](Self::erase_actor). It reads the whole log.
    ///
    /// ```
    /// # use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
    /// # fn main() -> activity_log::Result<()> {
    /// # let mut conn = activity_log::connect(":memory:")?;
    /// # activity_log::run_migrations(&mut conn)?;
    /// # let mut log = ActivityLogRepository::new(&mut conn);
    /// log.record(&NewActivityLogEntry::new("auth", "user.created", "bob", "Created Alice").entity("user", "17"))?;
    /// log.record(&NewActivityLogEntry::new("auth", "user.signed_in", "malice", "malice signed in"))?;
    /// assert_eq!(log.erase_texts(&["alice", "alice@example.org", "17"], "erased user")?, 1);
    /// let entry = log.query(&ActivityLogFilters::default(), None, 2)?.remove(1);
    /// assert_eq!((entry.message.as_str(), entry.entity_id.as_deref()), ("Created erased user", Some("erased user")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`rewrite`](Self::rewrite), and [`Error::InvalidFilter`] for the field `texts` if a text or `replacement` is empty,
    /// or if there is no text.
    pub fn erase_texts(&mut self, texts: &[&str], replacement: &str) -> Result<u64> {
        run(self.log.erase_texts(texts, replacement))
    }

    /// Deletes every entry in one transaction and returns how many.
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn clear(&mut self) -> Result<u64> {
        run(self.log.clear())
    }

    /// The matching entries by `seq` ascending, up to the newest entry at the time of the call.
    ///
    /// It reads in batches of at most some hundred rows or about a megabyte. It holds one batch at a time and no
    /// transaction between batches, so a slow reader blocks nobody. Rows deleted meanwhile may be missing.
    ///
    /// An item is an [`Error::UnreadableRow`] in the place of a row that cannot be read, and the rows after it follow.
    /// Any other error comes from the database and is the last item.
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
        ExportIter::begin(self.log.conn, NormalizedFilters::new(filters)?)
    }
}

impl<C> fmt::Debug for Repository<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").finish_non_exhaustive()
    }
}
