//! Changing entries that are in the log.

use diesel::prelude::*;
use diesel::result::Error::NotFound;

use crate::error::{Error, Result};
use crate::model::encoding::{EncodedEntry, Encoding};
use crate::model::entry::NewActivityLogEntry;
use crate::model::normalized_filters::NormalizedFilters;
use crate::schema::activity_log;
use crate::sqlite::erase::{erase_traces, with_secure_delete};
use crate::sqlite::extent::newest_seq;
use crate::sqlite::read::read;
use crate::sqlite::row::ActivityLogRow;
use crate::sqlite::throttle::in_throttled_batches;
use crate::sqlite::transaction::{is_in_transaction, with_transaction};
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::range::{Order, SeqRange};

const FIRST_BATCH: i64 = 200;
/// Of text that a batch holds.
const BATCH_BYTES: usize = 1 << 20;

/// Lets `change` change the matching entries, and removes every trace of what they were from the database's file, if `vacuum` says
/// so also from its unused parts. Returns how many it changed.
pub(crate) fn rewrite(
    conn: &mut SqliteConnection,
    filters: &NormalizedFilters,
    encoding: Encoding<'_>,
    vacuum: bool,
    change: &mut dyn FnMut(&mut NewActivityLogEntry),
) -> Result<u64> {
    with_secure_delete(conn, |conn| {
        let mut rewriting = Rewriting { filters, encoding, change, rest: SeqRange::default(), done: Done::default() };
        if let Some(newest) = newest_seq(conn)? {
            rewriting.rest = SeqRange::through(newest);
            if is_in_transaction(conn)? {
                while rewriting.next_batch(conn, FIRST_BATCH)? {}
            } else {
                in_throttled_batches(conn, FIRST_BATCH, |conn, size| rewriting.next_batch(conn, size))?;
            }
        }
        let Done { rewritten, unreadable } = rewriting.done;
        erase_traces(conn, vacuum)?;
        unreadable.map_or(Ok(rewritten), Err)
    })
}

struct Rewriting<'a> {
    filters: &'a NormalizedFilters,
    encoding: Encoding<'a>,
    change: &'a mut dyn FnMut(&mut NewActivityLogEntry),
    rest: SeqRange,
    done: Done,
}

#[derive(Default)]
struct Done {
    rewritten: u64,
    /// The error of the first row that cannot be read.
    unreadable: Option<Error>,
}

impl Rewriting<'_> {
    /// Rewrites the next rows, all or none, and returns whether there may be more.
    fn next_batch(&mut self, conn: &mut SqliteConnection, size: i64) -> Result<bool> {
        let limit = ReadLimit { rows: size, bytes: BATCH_BYTES };
        let (last, is_full, done) = with_transaction(conn, |conn| {
            let mut batch = Batch::default();
            read(conn, self.filters, self.rest, Order::Ascending, limit, &mut batch)?;
            let (last, is_full) = (batch.last_seq(), batch.is_full(limit));
            let mut done = Done::default();
            while let Some(row) = batch.pop() {
                self.rewrite_row(conn, row, &mut done)?;
            }
            Ok((last, is_full, done))
        })?;
        self.done.rewritten += done.rewritten;
        self.done.unreadable = self.done.unreadable.take().or(done.unreadable);
        self.rest.after = last.or(self.rest.after);
        Ok(is_full)
    }

    fn rewrite_row(&mut self, conn: &mut SqliteConnection, row: ActivityLogRow, done: &mut Done) -> Result<()> {
        let seq = row.seq();
        let entry = match row.decode() {
            Ok(entry) => NewActivityLogEntry::from(entry),
            Err(error) => {
                done.unreadable.get_or_insert(error);
                return Ok(());
            }
        };
        let mut changed = entry.clone();
        (self.change)(&mut changed);
        (changed.id, changed.ts) = (entry.id.clone(), entry.ts);
        if changed == entry {
            return Ok(());
        }
        // An entry that was stored with other limits is not refused for what was in it before.
        let encoding = Encoding { limits: self.encoding.limits.raised_to_fit(&entry), ..self.encoding };
        update(conn, seq, encoding.encode(&changed, 0)?)?;
        done.rewritten += 1;
        Ok(())
    }
}

fn update(conn: &mut SqliteConnection, seq: i64, entry: EncodedEntry<'_>) -> Result<()> {
    let columns = (
        activity_log::category.eq(entry.category),
        activity_log::action.eq(entry.action),
        activity_log::severity.eq(entry.severity.as_str()),
        activity_log::actor.eq(entry.actor),
        activity_log::entity_type.eq(entry.entity_type),
        activity_log::entity_id.eq(entry.entity_id),
        activity_log::entity_name.eq(entry.entity_name),
        activity_log::message.eq(entry.message),
        activity_log::metadata.eq(entry.metadata),
    );
    match diesel::update(activity_log::table.find(seq)).set(columns).execute(conn)? {
        // A trigger of the host's may keep the row without an error.
        0 => Err(NotFound.into()),
        _ => Ok(()),
    }
}
