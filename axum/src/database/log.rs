//! What the handlers ask of a log, in whatever database it is.

use activity_log::{
    ActivityLogEntry, ActivityLogFilters, ActivityLogPage, EntryLimits, Error, Facet, Facets, NewActivityLogEntry,
    Redactor, Repository, Result, SeverityCounts,
};
use chrono::{DateTime, Utc};

use crate::database::backend::Backend;

/// The entries of an export.
pub(crate) type Entries<'a> = Box<dyn Iterator<Item = Result<ActivityLogEntry>> + 'a>;

/// How large a log is, and how it is searched.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    /// About how many.
    pub(crate) entries: u64,
    pub(crate) has_search: bool,
}

/// The operations of a `Repository`, and those that take a transaction.
pub(crate) trait Log {
    fn page(&mut self, filters: &ActivityLogFilters, before_seq: Option<i64>, limit: u32) -> Result<ActivityLogPage>;

    /// The page just newer than a cursor, of about `bytes` at most.
    fn page_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
        bytes: Option<usize>,
    ) -> Result<ActivityLogPage>;

    fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>>;

    fn get(&mut self, id: &str) -> Result<Option<ActivityLogEntry>>;

    fn newest_seq(&mut self) -> Result<Option<i64>>;

    fn last_given_seq(&mut self) -> Result<Option<i64>>;

    fn count_up_to(&mut self, filters: &ActivityLogFilters, limit: u64) -> Result<u64>;

    fn facets(&mut self, filters: &ActivityLogFilters, facet: Facet, limit: u32) -> Result<Facets>;

    fn histogram(&mut self, filters: &ActivityLogFilters, edges: &[DateTime<Utc>]) -> Result<Vec<SeverityCounts>>;

    fn size(&mut self) -> Result<Size>;

    /// Passes the entries of an export to `write`.
    fn export(
        &mut self,
        filters: &ActivityLogFilters,
        write: &mut dyn FnMut(Entries<'_>) -> Result<u64>,
    ) -> Result<u64>;

    /// Runs `read` on the log as it stands at one moment, where the database can tell.
    fn with_snapshot(&mut self, read: &mut dyn FnMut(&mut dyn Log) -> Result<()>) -> Result<()>;

    /// Writes all entries or none; returns the `seq` of each.
    fn record_all(
        &mut self,
        entries: &[NewActivityLogEntry],
        limits: EntryLimits,
        redactor: &Redactor,
    ) -> Result<Vec<i64>>;

    /// Deletes every entry and records one, in one transaction: a reader never finds the log empty without the entry
    /// that says why. `entry` takes the number of entries that were deleted.
    fn clear(&mut self, entry: &mut dyn FnMut(u64) -> NewActivityLogEntry) -> Result<u64>;
}

impl<C: Backend> Log for C {
    fn page(&mut self, filters: &ActivityLogFilters, before_seq: Option<i64>, limit: u32) -> Result<ActivityLogPage> {
        Repository::new(self).page(filters, before_seq, limit)
    }

    fn page_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
        bytes: Option<usize>,
    ) -> Result<ActivityLogPage> {
        let log = Repository::new(self);
        let mut log = match bytes {
            Some(bytes) => log.with_page_bytes(bytes),
            None => log,
        };
        log.page_after(filters, after_seq, limit)
    }

    fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        Repository::new(self).query_after(filters, after_seq, limit)
    }

    fn get(&mut self, id: &str) -> Result<Option<ActivityLogEntry>> {
        Repository::new(self).get(id)
    }

    fn newest_seq(&mut self) -> Result<Option<i64>> {
        Repository::new(self).newest_seq()
    }

    fn last_given_seq(&mut self) -> Result<Option<i64>> {
        Repository::new(self).last_given_seq()
    }

    fn count_up_to(&mut self, filters: &ActivityLogFilters, limit: u64) -> Result<u64> {
        Repository::new(self).count_up_to(filters, limit)
    }

    fn facets(&mut self, filters: &ActivityLogFilters, facet: Facet, limit: u32) -> Result<Facets> {
        Repository::new(self).facets(filters, facet, limit)
    }

    fn histogram(&mut self, filters: &ActivityLogFilters, edges: &[DateTime<Utc>]) -> Result<Vec<SeverityCounts>> {
        Repository::new(self).histogram(filters, edges)
    }

    fn size(&mut self) -> Result<Size> {
        Ok(Size { bytes: self.bytes()?, entries: self.entries()?, has_search: self.has_search()? })
    }

    fn export(
        &mut self,
        filters: &ActivityLogFilters,
        write: &mut dyn FnMut(Entries<'_>) -> Result<u64>,
    ) -> Result<u64> {
        let mut log = Repository::new(self);
        let entries = log.iter_export(filters)?;
        write(Box::new(entries))
    }

    fn with_snapshot(&mut self, read: &mut dyn FnMut(&mut dyn Log) -> Result<()>) -> Result<()> {
        self.with_read_transaction(|conn| read(conn))
    }

    fn record_all(
        &mut self,
        entries: &[NewActivityLogEntry],
        limits: EntryLimits,
        redactor: &Redactor,
    ) -> Result<Vec<i64>> {
        self.with_write_transaction(|conn| {
            let mut log = Repository::new(conn).with_limits(limits).with_redactor(redactor);
            let numbered = entries.iter().enumerate();
            numbered.map(|(index, entry)| log.record(entry).map_err(|error| at_index(error, index))).collect()
        })
    }

    fn clear(&mut self, entry: &mut dyn FnMut(u64) -> NewActivityLogEntry) -> Result<u64> {
        self.with_write_transaction(|conn| {
            let mut log = Repository::new(conn);
            let deleted = log.clear()?;
            log.record(&entry(deleted))?;
            Ok(deleted)
        })
    }
}

/// The error, for an entry among others.
fn at_index(error: Error, index: usize) -> Error {
    match error {
        Error::InvalidEntry { field, reason, .. } => Error::InvalidEntry { index, field, reason },
        Error::DuplicateId { .. } => Error::DuplicateId { index },
        other => other,
    }
}
