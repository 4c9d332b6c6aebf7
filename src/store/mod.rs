//! What a database must do to hold a log.

pub(crate) mod batch;
pub(crate) mod range;

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::model::encoding::Encoding;
use crate::model::entry::NewActivityLogEntry;
use crate::model::facet::{Facet, Facets};
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::range::{Order, SeqRange};

/// A connection to a database that can hold a log.
///
/// The trait is sealed: this crate implements it for the databases that it supports.
pub trait Backend: Store {}

/// What [`Repository`](crate::Repository) is made of.
pub trait Store: Sized {
    /// A row as the database returns it.
    type Row: Row;

    /// Writes one entry and returns its `seq`.
    fn insert(&mut self, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64>;

    /// Writes all entries in their order, or none.
    fn insert_all(&mut self, entries: &[NewActivityLogEntry], encoding: Encoding<'_>) -> Result<()>;

    /// Replaces the batch by the first matching rows of a range; it holds fewer than the limit only if there are no more.
    fn read(
        &mut self,
        filters: &NormalizedFilters,
        range: SeqRange,
        order: Order,
        limit: ReadLimit,
        batch: &mut Batch<Self::Row>,
    ) -> Result<()>;

    /// The row with this id, which is in its stored form.
    fn find(&mut self, id: &str) -> Result<Option<Self::Row>>;

    /// Counts the matching rows, up to `limit`.
    fn count(&mut self, filters: &NormalizedFilters, limit: Option<i64>) -> Result<u64>;

    /// The most frequent values among the matching rows, up to `limit`.
    fn facets(&mut self, filters: &NormalizedFilters, facet: Facet, limit: u32) -> Result<Facets>;

    /// Counts the matching rows between each two neighbouring edges.
    fn histogram(&mut self, filters: &NormalizedFilters, edges: &Edges) -> Result<Vec<SeverityCounts>>;

    /// The greatest `seq` in the log; `None` if it is empty.
    fn newest_seq(&mut self) -> Result<Option<i64>>;

    /// Deletes the rows older than `before_ts` and then all but the newest `max_entries`.
    fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<PruneReport>;

    /// Lets `change` change each matching entry, except its id and time, and returns how many have changed. Nothing of what they
    /// were is left in tables and indexes and, with `vacuum`, in unused parts of the database's files.
    fn rewrite(
        &mut self,
        filters: &NormalizedFilters,
        encoding: Encoding<'_>,
        vacuum: bool,
        change: &mut dyn FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64>;

    /// Deletes every row and returns how many.
    fn clear(&mut self) -> Result<u64>;
}
