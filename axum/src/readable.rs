//! Entries around rows that cannot be read.

use std::cmp::Reverse;

use activity_log::Error::{CannotFollow, UnreadableRow};
use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogPage};

use crate::database::log::Log;

/// How many unreadable rows are skipped before the error is returned.
const MAX_SKIPPED: usize = 100;

pub(crate) fn newest(
    log: &mut dyn Log,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut before_seq = None;
    skip_unreadable(|skipped| {
        before_seq = skipped.or(before_seq);
        log.page(filters, before_seq, 1).map(|page| page.entries)
    })
}

pub(crate) fn oldest(
    log: &mut dyn Log,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut after_seq = i64::MIN;
    let oldest = skip_unreadable(|skipped| {
        after_seq = skipped.unwrap_or(after_seq);
        log.page_after(filters, after_seq, 1, None).map(|page| page.entries)
    });
    match oldest {
        Err(CannotFollow { .. }) => first_of_export(log, filters),
        oldest => oldest,
    }
}

/// The oldest entry of a log that cannot be followed, such as that of a standby. An export reads more of it at once.
fn first_of_export(log: &mut dyn Log, filters: &ActivityLogFilters) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut first = None;
    log.export(filters, &mut |mut entries| {
        first = entries.find(|entry| !matches!(entry, Err(UnreadableRow { .. }))).transpose()?;
        Ok(0)
    })?;
    Ok(first)
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

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cursor {
    /// The page is the newest one, or the newest of the entries older than this `seq`.
    Before(Option<i64>),
    /// The page holds the oldest of the entries newer than this `seq`.
    After(i64),
}

impl Cursor {
    /// Where the page continues past a row.
    fn past(self, seq: i64) -> Self {
        match self {
            Self::Before(_) => Self::Before(Some(seq)),
            Self::After(_) => Self::After(seq),
        }
    }

    /// The row of a page, newest first, past which the next one continues.
    fn last_of(self, entries: &[ActivityLogEntry]) -> Option<i64> {
        let last = match self {
            Self::Before(_) => entries.last(),
            Self::After(_) => entries.first(),
        };
        last.map(|entry| entry.seq)
    }

    fn read(
        self,
        log: &mut dyn Log,
        filters: &ActivityLogFilters,
        limit: u32,
    ) -> activity_log::Result<ActivityLogPage> {
        match self {
            Self::Before(before_seq) => log.page(filters, before_seq, limit),
            Self::After(after_seq) => log.page_after(filters, after_seq, limit, None),
        }
    }

    /// Whether any row follows, readable or not.
    fn has_rows(self, log: &mut dyn Log, filters: &ActivityLogFilters) -> activity_log::Result<bool> {
        match self.read(log, filters, 1) {
            Ok(page) => Ok(!page.entries.is_empty()),
            Err(UnreadableRow { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// A page that says which of its rows cannot be read.
#[derive(Default)]
pub(crate) struct Page {
    /// Newest first.
    pub(crate) entries: Vec<ActivityLogEntry>,
    /// The `seq` of each row that cannot be read, newest first.
    pub(crate) unreadable: Vec<i64>,
    pub(crate) next_before_seq: Option<i64>,
    pub(crate) prev_after_seq: Option<i64>,
}

/// The page of at most `limit` rows that begins at a cursor.
///
/// Each read begins at the last row of the one before, so none is left out while others record. Where a row cannot be
/// read, fewer and fewer rows are asked for, down to this one.
pub(crate) fn page(
    log: &mut dyn Log,
    filters: &ActivityLogFilters,
    cursor: Cursor,
    limit: u32,
) -> activity_log::Result<Page> {
    let mut page = Page::default();
    let (mut rest, mut left, mut rows) = (cursor, limit, limit);
    while left > 0 {
        match rest.read(log, filters, rows.min(left)) {
            Ok(ActivityLogPage { entries, next_before_seq, prev_after_seq }) if rows >= limit => {
                return Ok(Page { entries, unreadable: Vec::new(), next_before_seq, prev_after_seq });
            }
            Ok(read) => {
                let number = read.entries.len() as u32;
                let Some(last) = rest.last_of(&read.entries) else { break };
                page.entries.extend(read.entries);
                // A page may have fewer rows than it is asked for because they are long.
                left = if number < rows.min(left) { 0 } else { left - number };
                rest = rest.past(last);
                rows = rows.saturating_mul(2).min(limit.saturating_sub(1));
            }
            Err(UnreadableRow { .. }) if rows.min(left) > 1 => rows = rows.min(left) / 2,
            Err(UnreadableRow { seq, .. }) => {
                page.unreadable.push(seq);
                left -= 1;
                rest = rest.past(seq);
                rows = 1;
            }
            Err(error) => return Err(error),
        }
    }
    page.entries.sort_unstable_by_key(|entry| Reverse(entry.seq));
    page.unreadable.sort_unstable_by_key(|seq| Reverse(*seq));
    let seqs = || page.entries.iter().map(|entry| entry.seq).chain(page.unreadable.iter().copied());
    let ends = seqs().min().zip(seqs().max());
    if let Some((oldest, newest)) = ends {
        page.next_before_seq = Cursor::Before(Some(oldest)).has_rows(log, filters)?.then_some(oldest);
        page.prev_after_seq = Cursor::After(newest).has_rows(log, filters)?.then_some(newest);
    }
    Ok(page)
}
