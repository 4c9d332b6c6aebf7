//! The newest and the oldest entry, skipping rows that cannot be read.

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
