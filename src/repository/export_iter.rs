//! The iterator behind an export.

use std::iter::FusedIterator;

use crate::error::Result;
use crate::model::entry::ActivityLogEntry;
use crate::model::normalized_filters::NormalizedFilters;
use crate::repository::settled;
use crate::store::Store;
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::range::{Order, SeqRange};

/// The byte limit ends a batch of long entries early.
const BATCH: ReadLimit = ReadLimit { rows: 512, bytes: 1 << 20 };

/// The matching entries by `seq` ascending, read batch by batch.
pub(crate) struct ExportIter<'a, C: Store> {
    conn: &'a mut C,
    filters: NormalizedFilters,
    rest: SeqRange,
    batch: Batch<C::Row>,
    finished: bool,
}

impl<'a, C: Store> ExportIter<'a, C> {
    pub(crate) fn begin(conn: &'a mut C, filters: NormalizedFilters) -> Result<Self> {
        let last_seq = settled::end_of_export(conn)?;
        Ok(Self {
            conn,
            filters,
            rest: last_seq.map(SeqRange::through).unwrap_or_default(),
            batch: Batch::default(),
            finished: last_seq.is_none(),
        })
    }

    fn read_batch(&mut self) -> Result<()> {
        self.conn.read(&self.filters, self.rest, Order::Ascending, BATCH, &mut self.batch)?;
        self.rest.after = self.batch.last_seq();
        self.finished = !self.batch.is_full(BATCH);
        Ok(())
    }
}

impl<C: Store> Iterator for ExportIter<'_, C> {
    type Item = Result<ActivityLogEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.is_empty()
            && !self.finished
            && let Err(error) = self.read_batch()
        {
            self.finished = true;
            return Some(Err(error));
        }
        self.batch.pop().map(Row::decode)
    }
}

impl<C: Store> FusedIterator for ExportIter<'_, C> {}
