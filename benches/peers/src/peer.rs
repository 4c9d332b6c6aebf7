use std::error::Error;

use activity_log::{ActivityLogEntry, ActivityLogPage, ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, Utc};

pub(crate) type BenchResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Rows per statement, for competitors that read or write a log in batches.
pub(crate) const BATCH_ROWS: usize = 512;

/// One way to keep the log, on its own connection. All peers accept and return the same entries, with every field
/// decoded.
pub(crate) trait Peer {
    /// The single text that a statement without binds selects.
    fn text(&mut self, statement: &'static str) -> BenchResult<String>;

    /// Writes the entries one by one in one transaction, and returns the last entry's `seq`.
    fn record(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult<i64>;

    /// Writes all entries or none, in the natural way for many entries.
    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult;

    /// The newest matching entries, newest first, and the cursor of the next page if there is one.
    fn page(&mut self, matching: &Matching, limit: u32) -> BenchResult<ActivityLogPage>;

    /// The number of entries with one of two categories.
    fn count(&mut self, categories: [&'static str; 2]) -> BenchResult<u64>;

    /// The same number, but at most `most`.
    fn count_up_to(&mut self, categories: [&'static str; 2], most: u64) -> BenchResult<u64>;

    /// Deletes the entries older than `before_ts`, and returns their number. `at_once` requires a single transaction,
    /// even if the peer normally uses several.
    fn prune(&mut self, before_ts: DateTime<Utc>, at_once: bool) -> BenchResult<u64>;

    /// Passes the oldest entries to `take`, oldest first, without ever holding all of them.
    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult;

    /// Closes the connection completely, so that no remaining work falls into the next competitor's time.
    fn close(self: Box<Self>) -> BenchResult;
}

/// The filter of a page.
#[derive(Debug, Clone)]
pub(crate) enum Matching {
    Everything,
    OlderThan { seq: i64 },
    CategoryAndSeverity { category: &'static str, severity: ActivitySeverity },
    Between { since: DateTime<Utc>, until: DateTime<Utc> },
    MessageContains { term: &'static str },
}

/// The page of entries that were read with a limit of `limit + 1`.
pub(crate) fn page_of(mut entries: Vec<ActivityLogEntry>, limit: u32) -> ActivityLogPage {
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next_before_seq = entries.last().filter(|_| more).map(|entry| entry.seq);
    ActivityLogPage { entries, next_before_seq, prev_after_seq: None }
}

/// A pattern for LIKE with `\` as the escape character.
pub(crate) fn contains_pattern(term: &str) -> String {
    format!("%{}%", term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}
