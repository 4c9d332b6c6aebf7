use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

#[cfg(doc)]
use crate::Error;
use crate::reading::{self, Batch, Most};
use crate::row::{Encoding, StoredRow};
use crate::span::{Order, Span};
use crate::streaming::Export;
use crate::{
    ActivityLogEntry, ActivityLogFilters, ActivityLogPage, EntryLimits, NewActivityLogEntry, Redactor, Result,
    clearing, recording,
};

/// Writes and reads the log through a connection that it borrows.
///
/// So [`record`](Self::record) joins whatever transaction the caller is in: the entry is there exactly when the change
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
/// clocks say, and once committed never given again, not even after [`clear`](Self::clear). A cursor therefore stays
/// valid for ever, also when the row that it names is gone; any number is one.
///
/// # Transactions
///
/// A transaction that reads before it records should begin with
/// [`immediate_transaction`](diesel::SqliteConnection::immediate_transaction): it then waits for other writers, whereas
/// one begun with `transaction` fails with [`Error::Busy`] where another connection has committed since it read.
/// A transaction is what was begun through Diesel: inside one that was begun as SQL text, only the methods that need
/// none of their own work (`record`, and those that read).
///
/// # Errors
///
/// Every method returns [`Error::Database`] when the database fails, [`Error::Busy`] when another connection held the
/// lock throughout the busy timeout, and [`Error::Full`] when there is no room. Those that take filters return [`Error::InvalidFilter`] when these
/// cannot be run.
pub struct ActivityLogRepository<'conn> {
    conn: &'conn mut SqliteConnection,
    encoding: Encoding<'conn>,
}

impl<'conn> ActivityLogRepository<'conn> {
    /// A repository over `conn`, whose database has been through [`run_migrations`](crate::run_migrations).
    pub fn new(conn: &'conn mut SqliteConnection) -> Self {
        Self { conn, encoding: Encoding::default() }
    }

    /// Bounds the size of the entries that it records; without, by [`EntryLimits::default`].
    #[must_use]
    pub fn with_limits(mut self, limits: EntryLimits) -> Self {
        self.encoding.limits = limits;
        self
    }

    /// Masks secrets in the metadata of the entries that it records.
    #[must_use]
    pub fn with_redactor(mut self, redactor: &'conn Redactor) -> Self {
        self.encoding.redactor = Some(redactor);
        self
    }

    /// Writes one entry and returns its `seq`.
    ///
    /// Outside a transaction the entry is durable on return, as far as the connection's settings go (see
    /// [`configure`](crate::configure)); inside one, when that commits, and until then its `seq` is not to be told.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEntry`] when the entry cannot be stored so that it reads back or is larger than its limits,
    /// [`Error::DuplicateId`] when its id is taken; nothing is written then.
    pub fn record(&mut self, entry: &NewActivityLogEntry) -> Result<i64> {
        recording::record(self.conn, entry, self.encoding)
    }

    /// Writes all the entries, in their order, or none; returns how many.
    ///
    /// # Errors
    ///
    /// Those of [`record`](Self::record), with the entry's index; nothing is written then.
    pub fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> Result<usize> {
        recording::record_all(self.conn, entries, self.encoding)
    }

    /// The newest entries that match and are older than `before_seq`, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] for the newest of them that cannot be read, which says how to read the others.
    pub fn query(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        self.rows_before(filters, before_seq, limit.into())?.into_iter().map(StoredRow::decode).collect()
    }

    /// Like [`query`](Self::query), with the cursor of the next page, if there is one.
    ///
    /// It reads one row more than `limit` to know, so that no walk ends in an empty page. A `limit` of 0 gives no
    /// entries and no cursor.
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
    /// [`Error::UnreadableRow`] for the newest row of the page that cannot be read, which says how to read the others.
    pub fn page(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        let limit_rows = usize::try_from(limit).unwrap_or(usize::MAX);
        if limit == 0 {
            filters.check()?;
            return Ok(ActivityLogPage::default());
        }
        let mut rows = self.rows_before(filters, before_seq, i64::from(limit) + 1)?;
        let more = rows.len() > limit_rows;
        rows.truncate(limit_rows);
        let next_before_seq = rows.back().filter(|_| more).map(|row| row.seq);
        let entries = rows.into_iter().map(StoredRow::decode).collect::<Result<_>>()?;
        Ok(ActivityLogPage { entries, next_before_seq })
    }

    fn rows_before(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: i64,
    ) -> Result<VecDeque<StoredRow>> {
        let mut batch = Batch::default();
        let span = Span { before: before_seq, ..Span::default() };
        reading::read(self.conn, filters, span, Order::Descending, Most::rows(limit), &mut batch)?;
        Ok(batch.rows)
    }

    /// The oldest entries that match and are newer than `after_seq`, oldest first, at most `limit`: for followers that
    /// ask what is new.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] for the oldest of them that cannot be read.
    pub fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        let span = Span { after: Some(after_seq), ..Span::default() };
        let mut batch = Batch::default();
        reading::read(self.conn, filters, span, Order::Ascending, Most::rows(limit.into()), &mut batch)?;
        batch.rows.into_iter().map(StoredRow::decode).collect()
    }

    /// How many entries match, those that cannot be read included.
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn count(&mut self, filters: &ActivityLogFilters) -> Result<u64> {
        reading::count(self.conn, filters, None)
    }

    /// How many entries match, but no more than `most`: for a page that says "1,000+".
    ///
    /// The time that [`count`](Self::count) takes grows with what it counts; this one stops there.
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
    pub fn count_up_to(&mut self, filters: &ActivityLogFilters, most: u64) -> Result<u64> {
        reading::count(self.conn, filters, Some(i64::try_from(most).unwrap_or(i64::MAX)))
    }

    /// Deletes the entries older than `before_ts` and, of what is left, all but the newest `max_entries` by `seq`, as
    /// they stood when it began; returns how many. `None` twice deletes nothing.
    ///
    /// With nothing due it takes no write lock. Otherwise it works in short transactions, which aim at 20 ms each, with
    /// pauses as long between them, so that a writer on another connection is not held up; for each it waits up to
    /// twelve times the connection's busy timeout. Inside a caller's transaction it is part of that, and the lock is
    /// held until its end.
    ///
    /// # Errors
    ///
    /// When the database fails on the way, what was deleted until then stays deleted: prune again.
    pub fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<u64> {
        crate::prune::prune(self.conn, before_ts, max_entries)
    }

    /// Deletes every entry, in one transaction; returns how many.
    ///
    /// # Errors
    ///
    /// See [the repository's](Self#errors).
    pub fn clear(&mut self) -> Result<u64> {
        clearing::clear(self.conn)
    }

    /// The matching entries by `seq` ascending, up to the newest that is there now.
    ///
    /// It reads in batches of at most 512 rows or about a megabyte, and holds neither more than one batch nor, between
    /// batches, a transaction: a slow reader blocks nobody. Rows that are deleted meanwhile may be missing.
    ///
    /// An item is an [`Error::UnreadableRow`] in the place of a row that cannot be read, and the rows after it follow;
    /// or it is the database's error, and the last.
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
    ) -> Result<impl FusedIterator<Item = Result<ActivityLogEntry>> + use<'a, 'conn>> {
        Export::begin(self.conn, filters)
    }
}

impl fmt::Debug for ActivityLogRepository<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivityLogRepository").finish_non_exhaustive()
    }
}
