use std::iter::FusedIterator;
use std::vec;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::max;
use diesel::prelude::*;

use crate::row::StoredRow;
use crate::schema::activity_log;
use crate::{ActivityLogEntry, ActivityLogFilters, Result};

const BATCH_ROWS: usize = 512;
/// A batch ends early once it holds this much text, so that long entries do not add up.
const BATCH_BYTES: usize = 1 << 20;

/// The matching entries by `seq` ascending, read batch by batch.
pub(crate) struct Export<'a> {
    conn: &'a mut SqliteConnection,
    filters: ActivityLogFilters,
    after_seq: Option<i64>,
    newest_seq: i64,
    batch: vec::IntoIter<StoredRow>,
    finished: bool,
}

impl<'a> Export<'a> {
    pub(crate) fn begin(conn: &'a mut SqliteConnection, filters: &ActivityLogFilters) -> Result<Self> {
        filters.to_query()?;
        let newest_seq = activity_log::table.select(max(activity_log::seq)).get_result::<Option<i64>>(conn)?;
        Ok(Self {
            conn,
            filters: filters.clone(),
            after_seq: None,
            newest_seq: newest_seq.unwrap_or_default(),
            batch: Vec::new().into_iter(),
            finished: newest_seq.is_none(),
        })
    }

    fn read_batch(&mut self) -> Result<()> {
        let mut query = self.filters.to_query()?;
        if let Some(after_seq) = self.after_seq {
            query = query.filter(activity_log::seq.gt(after_seq));
        }
        let query = query
            .filter(activity_log::seq.le(self.newest_seq))
            .order(activity_log::seq.asc())
            .limit(BATCH_ROWS as i64)
            .select(StoredRow::as_select());

        let mut rows = Vec::new();
        let mut bytes = 0;
        let mut cut_short = false;
        for row in query.load_iter::<StoredRow, DefaultLoadingMode>(self.conn)? {
            let row = row?;
            bytes += row.len();
            self.after_seq = Some(row.seq);
            rows.push(row);
            if bytes >= BATCH_BYTES {
                cut_short = true;
                break;
            }
        }
        self.finished = !cut_short && rows.len() < BATCH_ROWS;
        self.batch = rows.into_iter();
        Ok(())
    }
}

impl Iterator for Export<'_> {
    type Item = Result<ActivityLogEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.len() == 0
            && !self.finished
            && let Err(error) = self.read_batch()
        {
            self.finished = true;
            return Some(Err(error));
        }
        self.batch.next().map(StoredRow::decode)
    }
}

impl FusedIterator for Export<'_> {}
