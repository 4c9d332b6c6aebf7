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
        log.query(filters, before_seq, 1)
    })
}

pub(crate) fn oldest(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut after_seq = i64::MIN;
    skip_unreadable(|skipped| {
        after_seq = skipped.unwrap_or(after_seq);
        log.query_after(filters, after_seq, 1)
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
    let mut page = Page { next_before_seq: before_seq, ..Page::default() };
    let mut left = limit;
    while left > 0 {
        let before = page.next_before_seq;
        match log.page(filters, before, left) {
            Ok(rest) => {
                page.entries.extend(rest.entries);
                page.next_before_seq = rest.next_before_seq;
                return Ok(page);
            }
            Err(UnreadableRow { .. }) => {
                // Up to that row, one by one; then the row itself.
                match log.page(filters, before, 1) {
                    Err(UnreadableRow { seq, .. }) => {
                        page.unreadable.push(seq);
                        page.next_before_seq = Some(seq);
                    }
                    one => {
                        let one = one?;
                        page.entries.extend(one.entries);
                        page.next_before_seq = one.next_before_seq;
                    }
                }
                left -= 1;
            }
            Err(error) => return Err(error),
        }
    }
    // The last row may have been the one that cannot be read.
    match log.page(filters, page.next_before_seq, 1) {
        Ok(older) if older.entries.is_empty() => page.next_before_seq = None,
        Ok(_) | Err(UnreadableRow { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(page)
}
