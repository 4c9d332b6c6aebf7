//! The log in PostgreSQL.

mod blocks;
mod catalog;
mod check;
mod count;
mod delete;
mod execute;
mod extent;
mod follow;
mod insert;
mod migrations;
mod new_row;
mod query;
mod read;
mod references;
mod rewrite;
mod row;
mod savepoint;
/// The table as Diesel sees it, for the host's own queries over the log.
///
/// Import it under another name: `activity_log` is also the name of the crate.
pub mod schema;
mod search;
mod start_up;
mod statement;
mod timestamp;
mod transaction;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use crate::error::Result;
use crate::model::encoding::Encoding;
use crate::model::entry::NewActivityLogEntry;
use crate::model::facet::{Facet, Facets};
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
pub use crate::postgres::check::check;
use crate::postgres::execute::{Execute, now};
pub use crate::postgres::migrations::MIGRATIONS;
pub use crate::postgres::new_row::NewActivityLogRow;
pub use crate::postgres::row::ActivityLogRow;
pub use crate::postgres::search::enable::{disable_search, enable_search};
pub use crate::postgres::start_up::run_migrations;
use crate::repository::Repository;
use crate::store::batch::{Batch, ReadLimit};
use crate::store::deletion::Deletion;
use crate::store::range::{Order, SeqRange};
use crate::store::{Backend, Store};

/// Writes and reads a log in PostgreSQL, through a connection that it borrows: see [`Repository`].
pub type ActivityLogRepository<'conn> = Repository<'conn, PgConnection>;

impl Backend for PgConnection {}

impl Store for PgConnection {
    type Row = ActivityLogRow;

    fn insert(&mut self, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64> {
        now(insert::insert(self, entry, encoding))
    }

    fn insert_all(&mut self, entries: &[NewActivityLogEntry], encoding: Encoding<'_>) -> Result<()> {
        now(insert::insert_all(self, entries, encoding))
    }

    fn read(
        &mut self,
        filters: &NormalizedFilters,
        range: SeqRange,
        order: Order,
        limit: ReadLimit,
        batch: &mut Batch<ActivityLogRow>,
    ) -> Result<()> {
        now(read::read(self, filters, range, order, limit, batch))
    }

    fn find(&mut self, id: &str) -> Result<Option<ActivityLogRow>> {
        Ok(now(read::find(self, id))?)
    }

    /// Each statement sees the log as it stands when it begins.
    fn with_snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        work(self)
    }

    fn count(&mut self, filters: &NormalizedFilters, limit: Option<i64>) -> Result<u64> {
        now(count::count(self, filters, limit))
    }

    fn facets(&mut self, filters: &NormalizedFilters, facet: Facet, limit: u32) -> Result<Facets> {
        now(count::facets(self, filters, facet, limit))
    }

    fn histogram(&mut self, filters: &NormalizedFilters, edges: &Edges) -> Result<Vec<SeverityCounts>> {
        now(count::histogram(self, filters, edges))
    }

    fn newest_seq(&mut self) -> Result<Option<i64>> {
        Ok(now(extent::newest_seq(self))?)
    }

    fn settled_seq(&mut self) -> Result<Option<i64>> {
        now(follow::settled_seq(self))
    }

    fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<PruneReport> {
        now(delete::prune(self, before_ts, max_entries))
    }

    fn rewrite(
        &mut self,
        filters: &NormalizedFilters,
        encoding: Encoding<'_>,
        vacuum: bool,
        change: &mut dyn FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64> {
        now(rewrite::rewrite(self, filters, encoding, vacuum, change))
    }

    fn newest_seq_beyond_rows(&mut self, rows: u64, through: i64) -> Result<Option<i64>> {
        now(extent::newest_seq_beyond_rows(self, rows, through))
    }

    fn newest_seq_beyond_bytes(&mut self, bytes: u64, through: i64, stop: &AtomicBool) -> Result<Option<i64>> {
        now(extent::newest_seq_beyond_bytes(self, bytes, through, stop))
    }

    fn held_back(&mut self, seqs: &[i64], _: &AtomicBool) -> Result<Vec<i64>> {
        now(delete::held_back(self, seqs))
    }

    fn delete(&mut self, seqs: &[i64], stop: &AtomicBool) -> Result<Deletion> {
        now(delete::delete(self, seqs, stop))
    }

    fn limit_waiting(&mut self, longest: Duration) -> Result<()> {
        // Zero would mean that it waits without end.
        Ok(now(self.batch(&format!("SET lock_timeout = {}", longest.as_millis().max(1))))?)
    }

    /// Autovacuum makes deleted rows' space available again, and there is nothing to keep in reserve.
    fn tidy_up(&mut self, _: Option<u64>, _: &AtomicBool) -> Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> Result<u64> {
        now(delete::clear(self))
    }
}
