//! The async repository, as the shared tests call it: each call is run to its end.

use std::fmt;
use std::iter::{FusedIterator, from_fn};
use std::ops::DerefMut;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use activity_log::postgres::AsyncActivityLogRepository;
use activity_log::{
    ActivityLogEntry, ActivityLogFilters, ActivityLogPage, EntryLimits, Facet, Facets, NewActivityLogEntry, Redactor,
    Result, RetentionHooks, RetentionPolicy, RetentionReport, SeverityCounts,
};
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::{AsyncConnectionWrapper, BlockOn};
use futures_util::StreamExt;
use tokio::runtime::{Builder, Runtime};

/// An async connection that also runs the tests' own blocking queries.
pub(crate) type Connection = AsyncConnectionWrapper<AsyncPgConnection, Wait>;

/// Waits for futures on the runtime of all tests, which also drives their connections.
pub(crate) struct Wait;

pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap_or_else(|error| std::process::exit(error.raw_os_error().unwrap_or(1)))
});

impl BlockOn for Wait {
    /// Unlike the runtime's own way to wait, this one works where a test waits within a callback.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _context = RUNTIME.enter();
        let waker = Arc::new(WakeThread(thread::current())).into();
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn get_runtime() -> Self {
        Self
    }
}

struct WakeThread(Thread);

impl Wake for WakeThread {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) struct ActivityLogRepository<'conn>(AsyncActivityLogRepository<'conn>);

impl<'conn> ActivityLogRepository<'conn> {
    pub(crate) fn new(conn: &'conn mut Connection) -> Self {
        Self(AsyncActivityLogRepository::new(conn.deref_mut()))
    }

    pub(crate) fn with_limits(self, limits: EntryLimits) -> Self {
        Self(self.0.with_limits(limits))
    }

    pub(crate) fn with_redactor(self, redactor: &'conn Redactor) -> Self {
        Self(self.0.with_redactor(redactor))
    }

    pub(crate) fn with_page_bytes(self, bytes: usize) -> Self {
        Self(self.0.with_page_bytes(bytes))
    }

    pub(crate) fn record(&mut self, entry: &NewActivityLogEntry) -> Result<i64> {
        Wait.block_on(self.0.record(entry))
    }

    pub(crate) fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> Result<usize> {
        Wait.block_on(self.0.record_all(entries))
    }

    pub(crate) fn query(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        Wait.block_on(self.0.query(filters, before_seq, limit))
    }

    pub(crate) fn page(
        &mut self,
        filters: &ActivityLogFilters,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        Wait.block_on(self.0.page(filters, before_seq, limit))
    }

    pub(crate) fn page_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<ActivityLogPage> {
        Wait.block_on(self.0.page_after(filters, after_seq, limit))
    }

    pub(crate) fn query_after(
        &mut self,
        filters: &ActivityLogFilters,
        after_seq: i64,
        limit: u32,
    ) -> Result<Vec<ActivityLogEntry>> {
        Wait.block_on(self.0.query_after(filters, after_seq, limit))
    }

    pub(crate) fn get(&mut self, id: &str) -> Result<Option<ActivityLogEntry>> {
        Wait.block_on(self.0.get(id))
    }

    pub(crate) fn count(&mut self, filters: &ActivityLogFilters) -> Result<u64> {
        Wait.block_on(self.0.count(filters))
    }

    pub(crate) fn count_up_to(&mut self, filters: &ActivityLogFilters, limit: u64) -> Result<u64> {
        Wait.block_on(self.0.count_up_to(filters, limit))
    }

    pub(crate) fn newest_seq(&mut self) -> Result<Option<i64>> {
        Wait.block_on(self.0.newest_seq())
    }

    pub(crate) fn last_given_seq(&mut self) -> Result<Option<i64>> {
        Wait.block_on(self.0.last_given_seq())
    }

    pub(crate) fn facets(&mut self, filters: &ActivityLogFilters, facet: Facet, limit: u32) -> Result<Facets> {
        Wait.block_on(self.0.facets(filters, facet, limit))
    }

    pub(crate) fn histogram(
        &mut self,
        filters: &ActivityLogFilters,
        edges: &[DateTime<Utc>],
    ) -> Result<Vec<SeverityCounts>> {
        Wait.block_on(self.0.histogram(filters, edges))
    }

    pub(crate) fn prune(&mut self, before_ts: Option<DateTime<Utc>>, max_entries: Option<u64>) -> Result<u64> {
        Wait.block_on(self.0.prune(before_ts, max_entries))
    }

    pub(crate) fn apply_retention(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
    ) -> Result<RetentionReport> {
        Wait.block_on(self.0.apply_retention(policy, now, stop))
    }

    pub(crate) fn apply_retention_with(
        &mut self,
        policy: &RetentionPolicy,
        now: DateTime<Utc>,
        stop: &AtomicBool,
        hooks: RetentionHooks<'_>,
    ) -> Result<RetentionReport> {
        Wait.block_on(self.0.apply_retention_with(policy, now, stop, hooks))
    }

    pub(crate) fn rewrite(
        &mut self,
        filters: &ActivityLogFilters,
        change: impl FnMut(&mut NewActivityLogEntry),
    ) -> Result<u64> {
        Wait.block_on(self.0.rewrite(filters, change))
    }

    pub(crate) fn erase_actor(&mut self, actor: &str, replacement: &str) -> Result<u64> {
        Wait.block_on(self.0.erase_actor(actor, replacement))
    }

    pub(crate) fn erase_texts(&mut self, texts: &[&str], replacement: &str) -> Result<u64> {
        Wait.block_on(self.0.erase_texts(texts, replacement))
    }

    pub(crate) fn clear(&mut self) -> Result<u64> {
        Wait.block_on(self.0.clear())
    }

    pub(crate) fn iter_export<'a>(
        &'a mut self,
        filters: &ActivityLogFilters,
    ) -> Result<impl FusedIterator<Item = Result<ActivityLogEntry>> + use<'a, 'conn>> {
        let mut stream = Box::pin(Wait.block_on(self.0.stream_export(filters))?);
        Ok(from_fn(move || Wait.block_on(stream.next())).fuse())
    }
}

impl fmt::Debug for ActivityLogRepository<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
