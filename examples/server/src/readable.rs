//! Entries around rows that cannot be read.

use activity_log::Error::UnreadableRow;
use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogRepository};

/// How many unreadable rows are skipped before the error is returned.
const MAX_SKIPPED: usize = 100;

pub(crate) fn newest(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut before_seq = None;
    skip_unreadable(|skipped| {
        before_seq = skipped.or(before_seq);
        log.page(filters, before_seq, 1).map(|page| page.entries)
    })
}

pub(crate) fn oldest(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut after_seq = i64::MIN;
    skip_unreadable(|skipped| {
        after_seq = skipped.unwrap_or(after_seq);
        log.page_after(filters, after_seq, 1).map(|page| page.entries)
    })
}

/// Reads one entry. When the row is unreadable, `read` is called again with the `seq` of that row to continue from.
fn skip_unreadable(
    mut read: impl FnMut(Option<i64>) -> activity_log::Result<Vec<ActivityLogEntry>>,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut skipped = None;
    for _ in 0..MAX_SKIPPED {
        match read(skipped) {
            Err(UnreadableRow { seq, .. }) => skipped = Some(seq),
            other => return Ok(other?.pop()),
        }
    }
    Ok(read(skipped)?.pop())
}

/// A page that says which of its rows cannot be read.
#[derive(Default)]
pub(crate) struct Page {
    /// Newest first.
    pub(crate) entries: Vec<ActivityLogEntry>,
    /// The `seq` of each row that cannot be read, newest first.
    pub(crate) unreadable: Vec<i64>,
    pub(crate) next_before_seq: Option<i64>,
}

/// The page of the newest `limit` rows older than `before_seq`.
pub(crate) fn page(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
    before_seq: Option<i64>,
    limit: u32,
) -> activity_log::Result<Page> {
    let mut page = Page::default();
    let (mut before, mut left) = (before_seq, limit);
    while left > 0 {
        match log.page(filters, before, left) {
            Ok(rest) => {
                page.entries.extend(rest.entries);
                page.next_before_seq = rest.next_before_seq;
                return Ok(page);
            }
            Err(UnreadableRow { seq, .. }) => {
                let newer = entries_before_unreadable(log, filters, before, left)?;
                left = left.saturating_sub(newer.len() as u32 + 1);
                page.entries.extend(newer);
                page.unreadable.push(seq);
                before = Some(seq);
            }
            Err(error) => return Err(error),
        }
    }
    // The page ends with a row that cannot be read. Is there an older one?
    let has_more = match log.page(filters, before, 1) {
        Ok(older) => !older.entries.is_empty(),
        Err(UnreadableRow { .. }) => true,
        Err(error) => return Err(error),
    };
    page.next_before_seq = before.filter(|_| has_more);
    Ok(page)
}

/// The entries in front of a row that makes a page of `limit` rows unreadable. Their number is found by bisection.
fn entries_before_unreadable(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
    before_seq: Option<i64>,
    limit: u32,
) -> activity_log::Result<Vec<ActivityLogEntry>> {
    let mut entries = Vec::new();
    let (mut readable, mut unreadable) = (0, limit);
    while unreadable - readable > 1 {
        let middle = readable + (unreadable - readable) / 2;
        match log.page(filters, before_seq, middle) {
            Ok(page) => {
                entries = page.entries;
                readable = middle;
            }
            Err(UnreadableRow { .. }) => unreadable = middle,
            Err(error) => return Err(error),
        }
    }
    Ok(entries)
}
