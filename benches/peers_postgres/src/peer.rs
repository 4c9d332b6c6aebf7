use activity_log::{ActivityLogEntry, ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, Utc};

pub(crate) use crate::entries::BenchResult;

/// How many entries a page has.
pub(crate) const PAGE: u32 = 50;

/// Rows per statement, for peers that read a log in batches.
pub(crate) const BATCH_ROWS: usize = 512;

/// Up to how many entries are counted.
pub(crate) const MOST: i64 = 10_000;

/// One way to keep the log, on its own connection. All peers take and return the same entries, with every field decoded.
pub(crate) trait Peer {
    /// Writes an entry in a transaction of its own.
    fn record(&mut self, entry: &NewActivityLogEntry) -> BenchResult;

    /// Writes all entries or none, in the natural way for many entries.
    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult;

    /// The newest matching entries, newest first, and the cursor of the next page if there is one.
    fn page(&mut self, matching: &Matching) -> BenchResult<Page>;

    /// The number of entries of a category, but at most [`MOST`].
    fn count_up_to(&mut self, category: &'static str) -> BenchResult<i64>;

    /// Passes the oldest entries to `take`, oldest first, without ever holding all of them.
    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult;
}

/// The filter of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Matching {
    Everything,
    OlderThan {
        seq: i64,
    },
    Actor(&'static str),
    CategoryAndSeverity(&'static str, ActivitySeverity),
    /// What the actions begin with, up to and with a dot.
    ActionBeginning(&'static str),
    Between {
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    },
}

/// Entries, and the cursor of the next page if there is one.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) entries: Vec<ActivityLogEntry>,
    pub(crate) next_before_seq: Option<i64>,
}

impl Page {
    /// The page of entries that were read with a limit of one more than a page has.
    pub(crate) fn new(mut entries: Vec<ActivityLogEntry>) -> Self {
        let more = entries.len() > PAGE as usize;
        entries.truncate(PAGE as usize);
        let next_before_seq = entries.last().filter(|_| more).map(|entry| entry.seq);
        Self { entries, next_before_seq }
    }
}
