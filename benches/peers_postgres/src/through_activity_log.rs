//! activity-log over a blocking and over an async connection.

use std::pin::pin;

use activity_log::postgres::{ActivityLogRepository, AsyncActivityLogRepository};
use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogPage, NewActivityLogEntry};
use diesel::{Connection as _, PgConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use crate::connection::runtime;
use crate::peer::{BenchResult, MOST, Matching, PAGE, Page, Peer};

fn filters(matching: &Matching) -> (ActivityLogFilters, Option<i64>) {
    let everything = ActivityLogFilters::default();
    match *matching {
        Matching::Everything => (everything, None),
        Matching::OlderThan { seq } => (everything, Some(seq)),
        Matching::Actor(actor) => (ActivityLogFilters { actor: Some(actor.to_owned()), ..everything }, None),
        Matching::CategoryAndSeverity(category, severity) => {
            (ActivityLogFilters { categories: vec![category.into()], severities: vec![severity], ..everything }, None)
        }
        Matching::ActionBeginning(beginning) => {
            (ActivityLogFilters { actions: vec![format!("{beginning}*")], ..everything }, None)
        }
        Matching::Between { since, until } => {
            (ActivityLogFilters { since: Some(since), until: Some(until), ..everything }, None)
        }
    }
}

fn of_category(category: &str) -> ActivityLogFilters {
    ActivityLogFilters { categories: vec![category.into()], ..ActivityLogFilters::default() }
}

impl From<ActivityLogPage> for Page {
    fn from(page: ActivityLogPage) -> Self {
        Self { entries: page.entries, next_before_seq: page.next_before_seq }
    }
}

pub(crate) struct Blocking(PgConnection);

impl Blocking {
    pub(crate) fn open(url: &str) -> BenchResult<Box<dyn Peer>> {
        Ok(Box::new(Self(PgConnection::establish(url)?)))
    }
}

impl Peer for Blocking {
    fn record(&mut self, entry: &NewActivityLogEntry) -> BenchResult {
        ActivityLogRepository::new(&mut self.0).record(entry)?;
        Ok(())
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        ActivityLogRepository::new(&mut self.0).record_all(entries)?;
        Ok(())
    }

    fn page(&mut self, matching: &Matching) -> BenchResult<Page> {
        let (filters, before) = filters(matching);
        Ok(ActivityLogRepository::new(&mut self.0).page(&filters, before, PAGE)?.into())
    }

    fn count_up_to(&mut self, category: &'static str) -> BenchResult<i64> {
        let count = ActivityLogRepository::new(&mut self.0).count_up_to(&of_category(category), MOST.unsigned_abs())?;
        Ok(i64::try_from(count)?)
    }

    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        let mut log = ActivityLogRepository::new(&mut self.0);
        for entry in log.iter_export(&ActivityLogFilters::default())?.take(rows) {
            take(entry?);
        }
        Ok(())
    }
}

pub(crate) struct Async {
    runtime: Runtime,
    conn: AsyncPgConnection,
}

impl Async {
    pub(crate) fn open(url: &str) -> BenchResult<Box<dyn Peer>> {
        let runtime = runtime()?;
        let conn = runtime.block_on(AsyncPgConnection::establish(url))?;
        Ok(Box::new(Self { runtime, conn }))
    }
}

impl Peer for Async {
    fn record(&mut self, entry: &NewActivityLogEntry) -> BenchResult {
        self.runtime.block_on(AsyncActivityLogRepository::new(&mut self.conn).record(entry))?;
        Ok(())
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        self.runtime.block_on(AsyncActivityLogRepository::new(&mut self.conn).record_all(entries))?;
        Ok(())
    }

    fn page(&mut self, matching: &Matching) -> BenchResult<Page> {
        let (filters, before) = filters(matching);
        let mut log = AsyncActivityLogRepository::new(&mut self.conn);
        Ok(self.runtime.block_on(log.page(&filters, before, PAGE))?.into())
    }

    fn count_up_to(&mut self, category: &'static str) -> BenchResult<i64> {
        let mut log = AsyncActivityLogRepository::new(&mut self.conn);
        let filters = of_category(category);
        Ok(i64::try_from(self.runtime.block_on(log.count_up_to(&filters, MOST.unsigned_abs()))?)?)
    }

    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        let mut log = AsyncActivityLogRepository::new(&mut self.conn);
        self.runtime.block_on(async {
            let mut entries = pin!(log.stream_export(&ActivityLogFilters::default()).await?.take(rows));
            while let Some(entry) = entries.next().await {
                take(entry?);
            }
            Ok(())
        })
    }
}
