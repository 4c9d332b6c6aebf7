//! Rows read at once, and how many.

use std::collections::VecDeque;

use crate::error::Result;
use crate::model::entry::ActivityLogEntry;

/// Memory is reserved for this many rows up front: for a page, or for a batch of an export.
const RESERVED_ROWS: usize = 512;

/// A row as it is stored, not yet decoded.
pub trait Row {
    /// The row's `seq`.
    fn seq(&self) -> i64;

    /// About how many bytes the row holds: those of its texts.
    fn text_bytes(&self) -> usize;

    /// The entry in the row.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`](crate::Error::UnreadableRow).
    fn decode(self) -> Result<ActivityLogEntry>;
}

/// How much to read. Reading stops after the row that reaches either limit.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    pub(crate) rows: i64,
    /// Of text.
    pub(crate) bytes: usize,
}

impl ReadLimit {
    pub(crate) fn rows(rows: i64) -> Self {
        Self { rows, bytes: usize::MAX }
    }
}

/// Rows in the order in which they were read.
#[derive(Debug)]
pub struct Batch<R> {
    rows: VecDeque<R>,
    bytes: usize,
}

impl<R> Default for Batch<R> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), bytes: 0 }
    }
}

impl<R: Row> Batch<R> {
    /// Empties the batch, before up to `limit` rows are added.
    pub(crate) fn restart(&mut self, limit: ReadLimit) {
        self.rows.clear();
        self.rows.reserve(usize::try_from(limit.rows).unwrap_or(usize::MAX).min(RESERVED_ROWS));
        self.bytes = 0;
    }

    pub(crate) fn push(&mut self, row: R) {
        self.bytes = self.bytes.saturating_add(row.text_bytes());
        self.rows.push_back(row);
    }

    pub(crate) fn is_full(&self, limit: ReadLimit) -> bool {
        self.rows.len() as i64 >= limit.rows || self.bytes >= limit.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Of text.
    #[cfg(any(feature = "postgres", feature = "postgres-async"))]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The `seq` of the row that was read last.
    pub(crate) fn last_seq(&self) -> Option<i64> {
        self.rows.back().map(Row::seq)
    }

    /// Drops all rows after the first `rows`.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows.truncate(rows);
    }

    /// Removes the first row.
    pub(crate) fn pop(&mut self) -> Option<R> {
        self.rows.pop_front()
    }

    /// The entries of all rows.
    ///
    /// # Errors
    ///
    /// That of the first row that cannot be decoded.
    pub(crate) fn decode(self) -> Result<Vec<ActivityLogEntry>> {
        self.rows.into_iter().map(Row::decode).collect()
    }
}
