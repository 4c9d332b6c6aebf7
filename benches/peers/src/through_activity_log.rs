use std::path::Path;

use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogPage, ActivityLogRepository, NewActivityLogEntry};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::peer::{BenchResult, Matching, Peer};
use crate::settings::CACHE_SIZE;

pub(crate) struct ThroughActivityLog {
    conn: SqliteConnection,
}

impl ThroughActivityLog {
    pub(crate) fn open(path: &Path) -> BenchResult<Self> {
        let mut conn = activity_log::connect(path.to_str().ok_or("the path is not UTF-8")?)?;
        conn.batch_execute(&format!("PRAGMA cache_size = {CACHE_SIZE}"))?;
        Ok(Self { conn })
    }

    pub(crate) fn migrate(&mut self) -> BenchResult {
        Ok(activity_log::run_migrations(&mut self.conn)?)
    }

    pub(crate) fn enable_search(&mut self) -> BenchResult {
        Ok(activity_log::enable_search(&mut self.conn)?)
    }

    fn log(&mut self) -> ActivityLogRepository<'_> {
        ActivityLogRepository::new(&mut self.conn)
    }
}

impl Peer for ThroughActivityLog {
    fn text(&mut self, statement: &'static str) -> BenchResult<String> {
        let expression = diesel::dsl::sql::<Text>(statement.trim_start_matches("SELECT "));
        Ok(diesel::select(expression).get_result(&mut self.conn)?)
    }

    fn record(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult<i64> {
        let seq = self.conn.immediate_transaction::<_, activity_log::Error, _>(|conn| {
            entries.iter().try_fold(0, |_, entry| ActivityLogRepository::new(conn).record(entry))
        })?;
        Ok(seq)
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        self.log().record_all(entries)?;
        Ok(())
    }

    fn page(&mut self, matching: &Matching, limit: u32) -> BenchResult<ActivityLogPage> {
        let mut filters = ActivityLogFilters::default();
        let mut before_seq = None;
        match *matching {
            Matching::Everything => {}
            Matching::OlderThan { seq } => before_seq = Some(seq),
            Matching::CategoryAndSeverity { category, severity } => {
                filters.categories = vec![category.into()];
                filters.severities = vec![severity];
            }
            Matching::Between { since, until } => {
                filters.since = Some(since);
                filters.until = Some(until);
            }
            Matching::MessageContains { term } => filters.message_contains = Some(term.to_owned()),
        }
        Ok(self.log().page(&filters, before_seq, limit)?)
    }

    fn count(&mut self, categories: [&'static str; 2]) -> BenchResult<u64> {
        Ok(self.log().count(&in_categories(categories))?)
    }

    fn count_up_to(&mut self, categories: [&'static str; 2], most: u64) -> BenchResult<u64> {
        Ok(self.log().count_up_to(&in_categories(categories), most)?)
    }

    fn prune(&mut self, before_ts: DateTime<Utc>, at_once: bool) -> BenchResult<u64> {
        if !at_once {
            return Ok(self.log().prune(Some(before_ts), None)?);
        }
        let rows = self.conn.immediate_transaction::<_, activity_log::Error, _>(|conn| {
            ActivityLogRepository::new(conn).prune(Some(before_ts), None)
        })?;
        Ok(rows)
    }

    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        for entry in self.log().iter_export(&ActivityLogFilters::default())?.take(rows) {
            take(entry?);
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> BenchResult {
        Ok(())
    }
}

fn in_categories(categories: [&'static str; 2]) -> ActivityLogFilters {
    ActivityLogFilters { categories: categories.map(Into::into).to_vec(), ..Default::default() }
}
