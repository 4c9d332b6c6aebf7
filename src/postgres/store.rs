//! The operations that a repository is built on.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::model::encoding::Encoding;
use crate::model::entry::NewActivityLogEntry;
use crate::model::facet::{Facet, Facets};
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::postgres::execute::Execute;
use crate::postgres::rollups::upkeep;
use crate::postgres::row::ActivityLogRow;
use crate::postgres::{count, delete, extent, follow, insert, insert_groups, read, rewrite};
use crate::store::batch::{Batch, ReadLimit};
use crate::store::deletion::Deletion;
use crate::store::group::{Group, Outcome, Uncommitted};
use crate::store::pace::left_of_pause;
use crate::store::range::{Order, SeqRange};
use crate::store::{Settled, Store};

/// What every connection to PostgreSQL does, whether it blocks or not.
impl<C: Execute> Store for C {
    type Row = ActivityLogRow;

    async fn insert(&mut self, entry: &NewActivityLogEntry, encoding: Encoding<'_>) -> Result<i64> {
        let seq = insert::insert(self, entry, encoding).await?;
        upkeep::after_recording(self, std::slice::from_ref(entry)).await;
        Ok(seq)
    }

    async fn insert_all(&mut self, entries: &[NewActivityLogEntry], encoding: Encoding<'_>) -> Result<()> {
        insert::insert_all(self, entries, encoding).await?;
        upkeep::after_recording(self, entries).await;
        Ok(())
    }

    async fn insert_groups(&mut self, groups: &[Group<'_>], until: Instant) -> Result<Vec<Outcome>, Uncommitted> {
        insert_groups::insert_groups(self, groups, until).await
    }

    async fn read(
        &mut self,
        filters: &NormalizedFilters,
        range: SeqRange,
        order: Order,
        limit: ReadLimit,
        batch: &mut Batch<ActivityLogRow>,
    ) -> Result<()> {
        read::read(self, filters, range, order, limit, batch).await
    }

    async fn read_beside(
        &mut self,
        beyond: SeqRange,
        filters: &NormalizedFilters,
        range: SeqRange,
        order: Order,
        limit: ReadLimit,
        batch: &mut Batch<ActivityLogRow>,
    ) -> Result<bool> {
        read::read_beside(self, beyond, filters, range, order, limit, batch).await
    }

    async fn find(&mut self, id: &str) -> Result<Option<ActivityLogRow>> {
        Ok(read::find(self, id).await?)
    }

    /// Each statement sees the log as it stands when it begins.
    async fn with_snapshot<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        work(self).await
    }

    async fn count(&mut self, filters: &NormalizedFilters, limit: Option<i64>) -> Result<u64> {
        count::count(self, filters, limit).await
    }

    async fn facets(&mut self, filters: &NormalizedFilters, facet: Facet, limit: u32) -> Result<Facets> {
        count::facets(self, filters, facet, limit).await
    }

    async fn histogram(&mut self, filters: &NormalizedFilters, edges: &Edges) -> Result<Vec<SeverityCounts>> {
        count::histogram(self, filters, edges).await
    }

    async fn newest_seq(&mut self) -> Result<Option<i64>> {
        Ok(extent::newest_seq(self).await?)
    }

    async fn last_given_seq(&mut self) -> Result<Option<i64>> {
        Ok(extent::last_given_seq(self).await?)
    }

    async fn settled_seq(&mut self) -> Result<Settled> {
        follow::settled_seq(self).await
    }

    async fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<PruneReport> {
        let report = delete::prune(self, before_ts, max_entries).await?;
        upkeep::catch_up_if_possible(self).await;
        Ok(report)
    }

    async fn rewrite(
        &mut self,
        filters: &NormalizedFilters,
        encoding: Encoding<'_>,
        vacuum: bool,
        change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64> {
        rewrite::rewrite(self, filters, encoding, vacuum, change).await
    }

    async fn newest_seq_beyond_rows(&mut self, rows: u64, through: i64) -> Result<Option<i64>> {
        extent::newest_seq_beyond_rows(self, rows, through).await
    }

    async fn newest_seq_beyond_bytes(&mut self, bytes: u64, through: i64, stop: &AtomicBool) -> Result<Option<i64>> {
        extent::newest_seq_beyond_bytes(self, bytes, through, stop).await
    }

    async fn held_back(&mut self, seqs: &[i64], stop: &AtomicBool) -> Result<Vec<i64>> {
        delete::held_back(self, seqs, stop).await
    }

    async fn delete(&mut self, seqs: &[i64], stop: &AtomicBool) -> Result<Deletion> {
        delete::delete(self, seqs, stop).await
    }

    async fn limit_waiting(&mut self, longest: Duration) -> Result<()> {
        // Zero would mean that it waits without end.
        Ok(self.batch(&format!("SET lock_timeout = {}", longest.as_millis().max(1))).await?)
    }

    async fn keep_up(&mut self) {
        upkeep::catch_up_if_possible(self).await;
    }

    /// Autovacuum makes deleted rows' space available again, and there is nothing to keep in reserve.
    async fn tidy_up(&mut self, _: Option<u64>, _: &AtomicBool) -> Result<()> {
        Ok(())
    }

    async fn clear(&mut self) -> Result<u64> {
        let deleted = delete::clear(self).await?;
        upkeep::catch_up_if_possible(self).await;
        Ok(deleted)
    }

    async fn pause(&mut self, lock_time: Duration, stop: &AtomicBool) {
        let started = Instant::now();
        while let Some(left) = left_of_pause(started, lock_time, stop) {
            self.sleep(left).await;
        }
    }
}
