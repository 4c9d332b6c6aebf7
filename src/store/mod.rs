//! What a database must do to hold a log.

pub(crate) mod batch;
pub(crate) mod blocking;
pub(crate) mod deletion;
pub(crate) mod group;
pub(crate) mod pace;
pub(crate) mod range;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;

use crate::error::{Error, Result};
use crate::model::encoding::Encoding;
use crate::model::entry::NewActivityLogEntry;
use crate::model::facet::{Facet, Facets};
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::deletion::Deletion;
use crate::store::group::{Group, Outcome, Uncommitted};
use crate::store::range::{Order, SeqRange};

/// A blocking connection to a database that can hold a log.
///
/// The trait is sealed: this crate implements it for the databases that it supports.
pub trait Backend: Store {}

/// Up to which `seq` every entry is visible or rolled back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Settled {
    /// Up to this one, which is the newest that anybody had at the beginning of the call.
    Now(i64),
    /// Transactions that write to the log stay open. Up to this one, which may be old, if any is known.
    Before(Option<i64>),
}

impl Settled {
    /// What is settled now.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] while transactions that write to the log stay open.
    pub(crate) fn now(self) -> Result<i64> {
        let Self::Now(seq) = self else {
            let reason = "transactions that write to the activity log stay open".to_owned();
            return Err(Error::Busy(DatabaseError(DatabaseErrorKind::Unknown, Box::new(reason))));
        };
        Ok(seq)
    }
}

/// The operations that a repository is built on. On a blocking connection, the futures are ready at once.
pub trait Store: Sized {
    /// A row as the database returns it.
    type Row: Row;

    /// Writes one entry and returns its `seq`.
    fn insert(&mut self, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> impl Future<Output = Result<i64>>;

    /// Writes all entries in their order, or none.
    fn insert_all(
        &mut self,
        entries: &[NewActivityLogEntry],
        encoding: Encoding<'_>,
    ) -> impl Future<Output = Result<()>>;

    /// Writes groups in their order in one transaction of its own, and commits it.
    ///
    /// It goes on after a group that cannot be written. Once `until` has passed, it commits what it has, at least one
    /// group. There is an outcome for each group that it has come to.
    fn insert_groups(
        &mut self,
        groups: &[Group<'_>],
        until: Instant,
    ) -> impl Future<Output = Result<Vec<Outcome>, Uncommitted>>;

    /// Replaces the batch with the first matching rows of a range. The batch holds fewer than the limit only if there
    /// are no more.
    fn read(
        &mut self,
        filters: &NormalizedFilters,
        range: SeqRange,
        order: Order,
        limit: ReadLimit,
        batch: &mut Batch<Self::Row>,
    ) -> impl Future<Output = Result<()>>;

    /// Replaces the batch as [`read`](Self::read) does, and returns whether any row of `beyond` matches too, a range on the
    /// other side of where this one begins.
    fn read_beside(
        &mut self,
        beyond: SeqRange,
        filters: &NormalizedFilters,
        range: SeqRange,
        order: Order,
        limit: ReadLimit,
        batch: &mut Batch<Self::Row>,
    ) -> impl Future<Output = Result<bool>> {
        async move {
            self.read(filters, beyond, order.opposite(), ReadLimit::rows(1), batch).await?;
            let has_beyond = !batch.is_empty();
            self.read(filters, range, order, limit, batch).await?;
            Ok(has_beyond)
        }
    }

    /// The row with this id, which is in its stored form.
    fn find(&mut self, id: &str) -> impl Future<Output = Result<Option<Self::Row>>>;

    /// Runs `work`, which only reads, on the log as it stands at one moment.
    fn with_snapshot<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> impl Future<Output = Result<T>>;

    /// Counts the matching rows, up to `limit`.
    fn count(&mut self, filters: &NormalizedFilters, limit: Option<i64>) -> impl Future<Output = Result<u64>>;

    /// The most frequent values among the matching rows, up to `limit`.
    fn facets(&mut self, filters: &NormalizedFilters, facet: Facet, limit: u32)
    -> impl Future<Output = Result<Facets>>;

    /// Counts the matching rows between each pair of neighbouring edges.
    fn histogram(
        &mut self,
        filters: &NormalizedFilters,
        edges: &Edges,
    ) -> impl Future<Output = Result<Vec<SeverityCounts>>>;

    /// The greatest `seq` in the log; `None` if it is empty.
    fn newest_seq(&mut self) -> impl Future<Output = Result<Option<i64>>>;

    /// The greatest `seq` that was given to an entry, whether or not the log still holds that entry; `None` before the first.
    fn last_given_seq(&mut self) -> impl Future<Output = Result<Option<i64>>>;

    /// How far walks upward may go.
    fn settled_seq(&mut self) -> impl Future<Output = Result<Settled>>;

    /// Deletes the rows older than `before_ts` and then all but the newest `max_entries`.
    fn prune(
        &mut self,
        before_ts: Option<DateTime<Utc>>,
        max_entries: Option<u64>,
    ) -> impl Future<Output = Result<PruneReport>>;

    /// Passes each matching entry to `change`, stores all but its id and time, and returns how many entries changed. No
    /// old text is left in tables and indexes or, with `vacuum`, in unused parts of the database's files.
    fn rewrite(
        &mut self,
        filters: &NormalizedFilters,
        encoding: Encoding<'_>,
        vacuum: bool,
        change: impl FnMut(&mut NewActivityLogEntry),
    ) -> impl Future<Output = Result<u64>>;

    /// The greatest `seq` up to `through` that is not among the newest `rows` up to there; `None` if all are.
    fn newest_seq_beyond_rows(&mut self, rows: u64, through: i64) -> impl Future<Output = Result<Option<i64>>>;

    /// The greatest `seq` for which the stored texts from that row to `through` have more than `bytes`; `None` if there
    /// is none, or once `stop` is set.
    fn newest_seq_beyond_bytes(
        &mut self,
        bytes: u64,
        through: i64,
        stop: &AtomicBool,
    ) -> impl Future<Output = Result<Option<i64>>>;

    /// The rows among these that [`delete`](Self::delete) would hold back. It waits and gives up like `delete`.
    fn held_back(&mut self, seqs: &[i64], stop: &AtomicBool) -> impl Future<Output = Result<Vec<i64>>>;

    /// Deletes these rows, except those that are held back: in one short transaction, or within the caller's.
    ///
    /// While the database is busy it waits, and returns [`Error::Busy`](crate::Error::Busy) once `stop` is set. If
    /// there is no room, it uses the reserve.
    fn delete(&mut self, seqs: &[i64], stop: &AtomicBool) -> impl Future<Output = Result<Deletion>>;

    /// Limits how long the connection waits for a lock from now on.
    fn limit_waiting(&mut self, longest: Duration) -> impl Future<Output = Result<()>>;

    /// Brings the summaries of the entries up to date, after many were deleted. It never fails, because nothing depends on it.
    fn keep_up(&mut self) -> impl Future<Output = ()>;

    /// Returns freed space to the file system, in short transactions and until `stop` is set, and then keeps this many
    /// bytes in reserve, if any.
    fn tidy_up(&mut self, reserve_bytes: Option<u64>, stop: &AtomicBool) -> impl Future<Output = Result<()>>;

    /// Deletes every row and returns how many.
    fn clear(&mut self) -> impl Future<Output = Result<u64>>;

    /// Pauses for as long as a batch held its lock, so that a waiting writer is served. Ends early once `stop` is set.
    fn pause(&mut self, lock_time: Duration, stop: &AtomicBool) -> impl Future<Output = ()>;
}
