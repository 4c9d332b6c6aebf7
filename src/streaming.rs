use std::iter::FusedIterator;

use diesel::dsl::max;
use diesel::prelude::*;

use crate::reading::{self, Batch, Most};
use crate::row::StoredRow;
use crate::schema::activity_log;
use crate::span::{Order, Span};
use crate::{ActivityLogEntry, ActivityLogFilters, Result};

/// Long entries, which would add up, end a batch early.
const BATCH: Most = Most { rows: 512, bytes: 1 << 20 };

/// The matching entries by `seq` ascending, read batch by batch.
pub(crate) struct Export<'a> {
    conn: &'a mut SqliteConnection,
    filters: ActivityLogFilters,
    after_seq: Option<i64>,
    newest_seq: i64,
    batch: Batch,
    finished: bool,
}

impl<'a> Export<'a> {
    pub(crate) fn begin(conn: &'a mut SqliteConnection, filters: &ActivityLogFilters) -> Result<Self> {
        filters.check()?;
        let newest_seq = activity_log::table.select(max(activity_log::seq)).get_result::<Option<i64>>(conn)?;
        Ok(Self {
            conn,
            filters: filters.clone(),
            after_seq: None,
            newest_seq: newest_seq.unwrap_or_default(),
            batch: Batch::default(),
            finished: newest_seq.is_none(),
        })
    }

    fn read_batch(&mut self) -> Result<()> {
        let span = Span { after: self.after_seq, before: self.newest_seq.checked_add(1) };
        reading::read(self.conn, &self.filters, span, Order::Ascending, BATCH, &mut self.batch)?;
        self.after_seq = self.batch.rows.back().map(|row| row.seq);
        self.finished = !self.batch.is_full(BATCH);
        Ok(())
    }
}

impl Iterator for Export<'_> {
    type Item = Result<ActivityLogEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.rows.is_empty()
            && !self.finished
            && let Err(error) = self.read_batch()
        {
            self.finished = true;
            return Some(Err(error));
        }
        self.batch.rows.pop_front().map(StoredRow::decode)
    }
}

impl FusedIterator for Export<'_> {}
