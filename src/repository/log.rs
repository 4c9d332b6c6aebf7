//! What a repository does, on a connection of any kind.

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::model::encoding::{Encoding, storable_text};
use crate::model::entry::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
use crate::model::facet::{Facet, Facets};
use crate::model::filters::ActivityLogFilters;
use crate::model::histogram::{Edges, SeverityCounts};
use crate::model::instant;
use crate::model::limits::EntryLimits;
use crate::model::names::Names;
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::model::redactor::Redactor;
use crate::repository::page::{self, PageLimit};
use crate::repository::settled;
use crate::store::Store;
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::range::{Order, SeqRange};

const PAGE_BYTES: usize = 8 << 20;

/// The log behind a connection, and how this repository writes and reads it.
pub(crate) struct Log<'conn, C> {
    pub(crate) conn: &'conn mut C,
    encoding: Encoding<'conn>,
    page_bytes: usize,
    vacuum: bool,
}

impl<'conn, C> Log<'conn, C> {
    pub(crate) fn new(conn: &'conn mut C) -> Self {
        Self { conn, encoding: Encoding::default(), page_bytes: PAGE_BYTES, vacuum: true }
    }

    pub(crate) fn with_limits(mut self, limits: EntryLimits) -> Self {
        self.encoding.limits = limits;
        self
    }

    pub(crate) fn with_redactor(mut self, redactor: &'conn Redactor) -> Self {
        self.encoding.redactor = Some(redactor);
        self
    }

    pub(crate) fn with_page_bytes(mut self, bytes: usize) -> Self {
        // A page has at least one entry.
        self.page_bytes = bytes.max(1);
        self
    }

    pub(crate) fn without_vacuum(mut self) -> Self {
        self.vacuum = false;
        self
    }

    fn page_limit(&self, entries: u32) -> PageLimit {
        PageLimit { entries, bytes: self.page_bytes }
    }
}

impl<C: Store> Log<'_, C> {
    pub(crate) async fn record(&mut self, entry: &NewActivityLogEntry) -> Result<i64> {
        self.conn.insert(entry, self.encoding).await
    }

    pub(crate) async fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> Result<usize> {
        if !entries.is_empty() {
            self.conn.insert_all(entries, self.encoding).await?;
        }
        Ok(entries.len())
    }

    pub(crate) async fn query(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        self.read(filters, SeqRange::before(before_seq), Order::Descending, limit.into()).await
    }

    pub(crate) async fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        let settled = settled::through(self.conn, after_seq).await?;
        let range = SeqRange::after(Some(after_seq)).intersection(SeqRange::through(settled));
        self.read(filters, range, Order::Ascending, limit.into()).await
    }

    async fn read(
        &mut self,
        filters: &ActivityLogFilters,
        range: SeqRange,
        order: Order,
        rows: i64,
    ) -> Result<Vec<ActivityLogEntry>> {
        let filters = NormalizedFilters::new(filters)?;
        let mut batch = Batch::default();
        self.conn.read(&filters, range, order, ReadLimit::rows(rows), &mut batch).await?;
        batch.decode()
    }

    pub(crate) async fn page(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        let filters = NormalizedFilters::new(filters)?;
        if limit == 0 {
            return Ok(ActivityLogPage::default());
        }
        let limit = self.page_limit(limit);
        match before_seq {
            // The newest page is one statement.
            None => page::before(self.conn, &filters, None, limit).await,
            _ => self.conn.with_snapshot(async |conn| page::before(conn, &filters, before_seq, limit).await).await,
        }
    }

    pub(crate) async fn page_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        let filters = NormalizedFilters::new(filters)?;
        if limit == 0 {
            return Ok(ActivityLogPage::default());
        }
        let limit = self.page_limit(limit);
        let settled = settled::through(self.conn, after_seq).await?;
        self.conn.with_snapshot(async |conn| page::after(conn, &filters, after_seq, settled, limit).await).await
    }

    pub(crate) async fn get(&mut self, id: &str) -> Result<Option<ActivityLogEntry>> {
        self.conn.find(&storable_text(id)).await?.map(Row::decode).transpose()
    }

    pub(crate) async fn newest_seq(&mut self) -> Result<Option<i64>> {
        settled::newest(self.conn).await
    }

    pub(crate) async fn last_given_seq(&mut self) -> Result<Option<i64>> {
        self.conn.last_given_seq().await
    }

    pub(crate) async fn count(&mut self, filters: &ActivityLogFilters, limit: Option<u64>) -> Result<u64> {
        let limit = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        self.conn.count(&NormalizedFilters::new(filters)?, limit).await
    }

    pub(crate) async fn facets(&mut self, filters: &ActivityLogFilters, facet: Facet, limit: u32) -> Result<Facets> {
        self.conn.facets(&NormalizedFilters::new(filters)?, facet, limit).await
    }

    pub(crate) async fn histogram(
        &mut self,
        filters: &ActivityLogFilters,
        edges: &[DateTime<Utc>],
    ) -> Result<Vec<SeverityCounts>> {
        self.conn.histogram(&NormalizedFilters::new(filters)?, &Edges::new(edges)?).await
    }

    pub(crate) async fn prune(
        &mut self,
        before_ts: Option<DateTime<Utc>>,
        max_entries: Option<u64>,
    ) -> Result<PruneReport> {
        self.conn.prune(before_ts.map(instant::round_up), max_entries).await
    }

    pub(crate) async fn rewrite(
        &mut self,
        filters: &ActivityLogFilters,
        change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64> {
        let encoding = Encoding { limits: EntryLimits::UNLIMITED, ..self.encoding };
        self.conn.rewrite(&NormalizedFilters::new(filters)?, encoding, self.vacuum, change).await
    }

    pub(crate) async fn erase_actor(&mut self, actor: &str, replacement: &str) -> Result<u64> {
        let filters = ActivityLogFilters { actor: Some(actor.to_owned()), ..ActivityLogFilters::default() };
        self.erase(&filters, "actor", &[actor], replacement).await
    }

    pub(crate) async fn erase_texts(&mut self, texts: &[&str], replacement: &str) -> Result<u64> {
        self.erase(&ActivityLogFilters::default(), "texts", texts, replacement).await
    }

    async fn erase(
        &mut self,
        filters: &ActivityLogFilters,
        field: &'static str,
        texts: &[&str],
        replacement: &str,
    ) -> Result<u64> {
        if texts.is_empty() || texts.iter().chain([&replacement]).any(|text| text.is_empty()) {
            let reason = "and its replacement must not be empty: an empty filter would find everybody".to_owned();
            return Err(Error::InvalidFilter { field, reason });
        }
        let names = Names::new(texts);
        self.rewrite(filters, |entry| names.replace_in(entry, replacement)).await
    }

    pub(crate) async fn clear(&mut self) -> Result<u64> {
        self.conn.clear().await
    }
}
