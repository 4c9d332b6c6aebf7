use std::error::Error;

use activity_log::{ActivityLogEntry, ActivityLogPage, ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, Utc};

pub(crate) type BenchResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Rows a statement, where a log is read or written batch by batch.
pub(crate) const BATCH_ROWS: usize = 512;

/// One way to keep the log, on a connection of its own. All of them hand out and take the same entries, every field of
/// them decoded.
pub(crate) trait Peer {
    /// The one text that a statement without binds selects.
    fn text(&mut self, statement: &'static str) -> BenchResult<String>;

    /// Writes entry by entry in one transaction, and returns the last one's `seq`.
    fn record(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult<i64>;

    /// Writes all or none in the way that is natural for many entries at once.
    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult;

    /// The newest entries that match, newest first, and the cursor of the next page if there is one.
    fn page(&mut self, matching: &Matching, limit: u32) -> BenchResult<ActivityLogPage>;

    /// How many entries have one of two categories.
    fn count(&mut self, categories: [&'static str; 2]) -> BenchResult<u64>;

    /// The same, but no more than `most`.
    fn count_up_to(&mut self, categories: [&'static str; 2], most: u64) -> BenchResult<u64>;

    /// Deletes the entries older than a time, and returns how many. `at_once` is in one transaction, whatever else it
    /// would do by itself.
    fn prune(&mut self, before_ts: DateTime<Utc>, at_once: bool) -> BenchResult<u64>;

    /// Hands out the oldest entries, oldest first, without ever holding all of them.
    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult;

    /// Returns once nothing of the connection is left: what it leaves to be done would be on the next one's time.
    fn close(self: Box<Self>) -> BenchResult;
}

/// The entries of a page.
#[derive(Debug, Clone)]
pub(crate) enum Matching {
    Everything,
    OlderThan { seq: i64 },
    CategoryAndSeverity { category: &'static str, severity: ActivitySeverity },
    Between { since: DateTime<Utc>, until: DateTime<Utc> },
    MessageContains { term: &'static str },
}

/// The page of entries of which one more than `limit` has been asked for.
pub(crate) fn page_of(mut entries: Vec<ActivityLogEntry>, limit: u32) -> ActivityLogPage {
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next_before_seq = entries.last().filter(|_| more).map(|entry| entry.seq);
    ActivityLogPage { entries, next_before_seq }
}

/// A pattern for LIKE with `\` as the escape.
pub(crate) fn contains_pattern(term: &str) -> String {
    format!("%{}%", term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}
