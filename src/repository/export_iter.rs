//! The rows of an export, batch by batch, and the iterator over them.

use std::iter::FusedIterator;

use crate::error::Result;
use crate::model::entry::ActivityLogEntry;
use crate::model::normalized_filters::NormalizedFilters;
use crate::repository::settled;
use crate::store::Store;
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::blocking::run;
use crate::store::range::{Order, SeqRange};

/// The byte limit ends a batch of long entries early.
const BATCH: ReadLimit = ReadLimit { rows: 512, bytes: 1 << 20 };

/// The matching entries by `seq` ascending, read batch by batch.
pub(crate) struct Export<R> {
    filters: NormalizedFilters,
    rest: SeqRange,
    batch: Batch<R>,
    finished: bool,
}

impl<R: Row> Export<R> {
    pub(crate) async fn begin<C: Store<Row = R>>(conn: &mut C, filters: NormalizedFilters) -> Result<Self> {
        let last_seq = settled::end_of_export(conn).await?;
        Ok(Self {
            filters,
            rest: last_seq.map(SeqRange::through).unwrap_or_default(),
            batch: Batch::default(),
            finished: last_seq.is_none(),
        })
    }

    pub(crate) async fn next<C: Store<Row = R>>(&mut self, conn: &mut C) -> Option<Result<ActivityLogEntry>> {
        if self.batch.is_empty()
            && !self.finished
            && let Err(error) = self.read_batch(conn).await
        {
            self.finished = true;
            return Some(Err(error));
        }
        self.batch.pop().map(Row::decode)
    }

    async fn read_batch<C: Store<Row = R>>(&mut self, conn: &mut C) -> Result<()> {
        conn.read(&self.filters, self.rest, Order::Ascending, BATCH, &mut self.batch).await?;
        self.rest.after = self.batch.last_seq();
        self.finished = !self.batch.is_full(BATCH);
        Ok(())
    }
}

pub(crate) struct ExportIter<'a, C: Store> {
    conn: &'a mut C,
    export: Export<C::Row>,
}

impl<'a, C: Store> ExportIter<'a, C> {
    pub(crate) fn begin(conn: &'a mut C, filters: NormalizedFilters) -> Result<Self> {
        let export = run(Export::begin(conn, filters))?;
        Ok(Self { conn, export })
    }
}

impl<C: Store> Iterator for ExportIter<'_, C> {
    type Item = Result<ActivityLogEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        run(self.export.next(self.conn))
    }
}

impl<C: Store> FusedIterator for ExportIter<'_, C> {}
