//! The log in SQLite.

mod action_names;
mod bounds;
mod buckets;
mod busy;
mod catalog;
pub(crate) mod check;
mod clear;
mod conditions;
pub(crate) mod connection;
mod count;
mod delete;
mod entity_types;
mod erase;
mod extent;
mod facet_values;
mod facets;
mod fragments;
mod hints;
mod histogram;
mod insert;
mod insert_groups;
mod limits;
pub(crate) mod migrations;
pub(crate) mod new_row;
#[cfg(feature = "r2d2")]
pub(crate) mod pool;
mod pragma;
mod prune;
mod query;
mod read;
pub(crate) mod reclaim;
mod references;
pub(crate) mod reserve;
mod rewrite;
pub(crate) mod row;
mod scopes;
pub(crate) mod search;
pub(crate) mod segments;
pub(crate) mod start_up;
mod stored_text;
mod throttle;
mod timestamp;
mod transaction;
mod upkeep;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::SqliteConnection;

use crate::error::Result;
use crate::model::encoding::Encoding;
use crate::model::entry::NewActivityLogEntry;
use crate::model::facet::{Facet, Facets};
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::repository::Repository;
use crate::sqlite::row::ActivityLogRow;
use crate::store::batch::{Batch, ReadLimit};
use crate::store::blocking::run;
use crate::store::deletion::Deletion;
use crate::store::group::{Group, Outcome, Uncommitted};
use crate::store::pace;
use crate::store::range::{Order, SeqRange};
use crate::store::{Backend, Settled, Store};

/// Writes and reads a log in SQLite, through a connection that it borrows: see [`Repository`].
pub type ActivityLogRepository<'conn> = Repository<'conn, SqliteConnection>;

impl Backend for SqliteConnection {}

impl Store for SqliteConnection {
    type Row = ActivityLogRow;

    async fn insert(&mut self, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64> {
        insert::insert(self, entry, encoding)
    }

    async fn insert_all(&mut self, entries: &[NewActivityLogEntry], encoding: Encoding<'_>) -> Result<()> {
        insert::insert_all(self, entries, encoding)
    }

    async fn insert_groups(&mut self, groups: &[Group<'_>], until: Instant) -> Result<Vec<Outcome>, Uncommitted> {
        insert_groups::insert_groups(self, groups, until)
    }

    async fn read(
        &mut self,
        filters: &NormalizedFilters,
        range: SeqRange,
        order: Order,
        limit: ReadLimit,
        batch: &mut Batch<ActivityLogRow>,
    ) -> Result<()> {
        read::read(self, filters, range, order, limit, batch)
    }

    async fn find(&mut self, id: &str) -> Result<Option<ActivityLogRow>> {
        Ok(read::find(self, id)?)
    }

    async fn with_snapshot<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        transaction::with_read_transaction(self, |conn| run(work(conn)))
    }

    async fn count(&mut self, filters: &NormalizedFilters, limit: Option<i64>) -> Result<u64> {
        count::count(self, filters, limit)
    }

    async fn facets(&mut self, filters: &NormalizedFilters, facet: Facet, limit: u32) -> Result<Facets> {
        facets::facets(self, filters, facet, limit)
    }

    async fn histogram(&mut self, filters: &NormalizedFilters, edges: &Edges) -> Result<Vec<SeverityCounts>> {
        histogram::histogram(self, filters, edges)
    }

    async fn newest_seq(&mut self) -> Result<Option<i64>> {
        Ok(extent::newest_seq(self)?)
    }

    async fn last_given_seq(&mut self) -> Result<Option<i64>> {
        Ok(extent::last_given_seq(self)?)
    }

    /// A writer that is not done holds the lock, so no number below a visible one is still to come.
    async fn settled_seq(&mut self) -> Result<Settled> {
        Ok(Settled::Now(i64::MAX))
    }

    async fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<PruneReport> {
        prune::prune(self, before_ts, max_entries)
    }

    async fn rewrite(
        &mut self,
        filters: &NormalizedFilters,
        encoding: Encoding<'_>,
        vacuum: bool,
        mut change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64> {
        rewrite::rewrite(self, filters, encoding, vacuum, &mut change)
    }

    async fn newest_seq_beyond_rows(&mut self, rows: u64, through: i64) -> Result<Option<i64>> {
        limits::newest_seq_beyond_rows(self, rows, through)
    }

    async fn newest_seq_beyond_bytes(&mut self, bytes: u64, through: i64, stop: &AtomicBool) -> Result<Option<i64>> {
        limits::newest_seq_beyond_bytes(self, bytes, through, stop)
    }

    async fn held_back(&mut self, seqs: &[i64], stop: &AtomicBool) -> Result<Vec<i64>> {
        delete::held_back(self, seqs, stop)
    }

    async fn delete(&mut self, seqs: &[i64], stop: &AtomicBool) -> Result<Deletion> {
        delete::delete(self, seqs, stop)
    }

    async fn limit_waiting(&mut self, longest: Duration) -> Result<()> {
        Ok(pragma::set_busy_timeout(self, longest)?)
    }

    /// Recording and start-up bring the summaries up to date.
    async fn keep_up(&mut self) {}

    async fn tidy_up(&mut self, reserve_bytes: Option<u64>, stop: &AtomicBool) -> Result<()> {
        reclaim::reclaim_until(self, stop)?;
        reserve_bytes.map_or(Ok(()), |bytes| reserve::keep_reserve(self, bytes))
    }

    async fn clear(&mut self) -> Result<u64> {
        clear::clear(self)
    }

    async fn pause(&mut self, lock_time: Duration, stop: &AtomicBool) {
        pace::pause(lock_time, stop);
    }
}
