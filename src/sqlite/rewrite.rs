//! Changes entries that are in the log.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicBool;

use chrono::DateTime;
use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;

use crate::error::{Error, Result};
use crate::model::encoding::{EncodedEntry, Encoding};
use crate::model::entry::NewActivityLogEntry;
use crate::model::normalized_filters::NormalizedFilters;
use crate::schema::activity_log;
use crate::sqlite::erase::{erase_traces, with_secure_delete};
use crate::sqlite::extent::newest_seq;
use crate::sqlite::read::read;
use crate::sqlite::references::holds_back;
use crate::sqlite::row::ActivityLogRow;
use crate::sqlite::throttle::in_throttled_batches;
use crate::sqlite::transaction::{is_in_sqlites_transaction, is_in_transaction, with_transaction};
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::range::{Order, SeqRange};

const FIRST_BATCH: i64 = 200;
/// How many bytes of text a batch holds.
const BATCH_BYTES: usize = 1 << 20;

/// Passes each matching entry to `change` and stores the result. Removes every trace of the old text from the tables
/// and indexes and, with `vacuum`, from the unused parts of the database's file. Returns how many entries changed.
pub(crate) fn rewrite(
    conn: &mut SqliteConnection,
    filters: &NormalizedFilters,
    encoding: Encoding<'_>,
    vacuum: bool,
    change: &mut dyn FnMut(&mut NewActivityLogEntry),
) -> Result<u64> {
    let rest = SeqRange::default();
    let mut rewriting = Rewriting { filters, encoding, change, rest, done: Done::default(), panic: None };
    let outcome = with_secure_delete(conn, |conn| {
        rewriting.run(conn)?;
        erase_traces(conn, vacuum)
    });
    if let Some(panic) = rewriting.panic {
        resume_unwind(panic);
    }
    outcome?;
    let Done { rewritten, failure } = rewriting.done;
    failure.map_or(Ok(rewritten), Err)
}

struct Rewriting<'a> {
    filters: &'a NormalizedFilters,
    encoding: Encoding<'a>,
    change: &'a mut dyn FnMut(&mut NewActivityLogEntry),
    rest: SeqRange,
    done: Done,
    /// The panic of `change`, kept until the connection is in order again.
    panic: Option<Box<dyn Any + Send>>,
}

#[derive(Default)]
struct Done {
    rewritten: u64,
    /// Why the first entry that stays as it is could not be rewritten.
    failure: Option<Error>,
}

impl Rewriting<'_> {
    fn run(&mut self, conn: &mut SqliteConnection) -> Result<()> {
        let Some(newest) = newest_seq(conn)? else { return Ok(()) };
        self.rest = SeqRange::through(newest);
        if is_in_transaction(conn)? {
            while self.next_batch(conn, FIRST_BATCH)? {}
            return Ok(());
        }
        in_throttled_batches(conn, FIRST_BATCH, &AtomicBool::new(false), |conn, size| self.next_batch(conn, size))
    }

    /// Rewrites the next rows, all or none, and returns whether there may be more.
    fn next_batch(&mut self, conn: &mut SqliteConnection, size: i64) -> Result<bool> {
        let limit = ReadLimit { rows: size, bytes: BATCH_BYTES };
        let (last, is_full, done) = with_transaction(conn, |conn| {
            let mut batch = Batch::default();
            read(conn, self.filters, self.rest, Order::Ascending, limit, &mut batch)?;
            let (last, is_full) = (batch.last_seq(), batch.is_full(limit));
            let mut done = Done::default();
            while let Some(row) = batch.pop() {
                let seq = row.seq();
                match self.rewrite_row(conn, row)? {
                    Ok(is_changed) => done.rewritten += u64::from(is_changed),
                    Err(Refusal::Unreadable(error)) => drop(done.failure.get_or_insert(error)),
                    Err(Refusal::Refused(reason)) => {
                        done.failure.get_or_insert(Error::NotRewritten { seq, reason });
                    }
                }
            }
            Ok((last, is_full, done))
        })?;
        self.done.rewritten += done.rewritten;
        self.done.failure = self.done.failure.take().or(done.failure);
        self.rest.after = last.or(self.rest.after);
        Ok(is_full)
    }

    /// Returns whether the row has changed, or why it stays as it is.
    fn rewrite_row(
        &mut self,
        conn: &mut SqliteConnection,
        row: ActivityLogRow,
    ) -> Result<std::result::Result<bool, Refusal>> {
        let seq = row.seq();
        let entry = match row.decode() {
            Ok(entry) => NewActivityLogEntry::from(entry),
            Err(error) => return Ok(Err(Refusal::Unreadable(error))),
        };
        let mut changed = entry.clone();
        catch_unwind(AssertUnwindSafe(|| (self.change)(&mut changed))).map_err(|panic| {
            self.panic = Some(panic);
            RollbackTransaction
        })?;
        (changed.id, changed.ts) = (entry.id.clone(), entry.ts);
        if changed == entry {
            return Ok(Ok(false));
        }
        // The time is not written again, and a row from another program may have a time that would be refused.
        changed.ts = DateTime::UNIX_EPOCH;
        match self.encoding.encode(&changed, 0) {
            Ok(encoded) => update(conn, seq, encoded),
            Err(Error::InvalidEntry { field, reason, .. }) => Ok(Err(Refusal::Refused(format!("`{field}` {reason}")))),
            Err(error) => Err(error),
        }
    }
}

/// Why one row is not rewritten, although others may be.
enum Refusal {
    Unreadable(Error),
    Refused(String),
}

fn update(
    conn: &mut SqliteConnection,
    seq: i64,
    entry: EncodedEntry<'_>,
) -> Result<std::result::Result<bool, Refusal>> {
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
    let refused = || Ok(Err(Refusal::Refused("a trigger or a foreign key of the database keeps it".to_owned())));
    match diesel::update(activity_log::table.find(seq)).set(columns).execute(conn) {
        Ok(0) => refused(),
        Ok(_) => Ok(Ok(true)),
        // The trigger may have ended the transaction.
        Err(error) if is_in_sqlites_transaction(conn)? && holds_back(conn, &error)? => refused(),
        Err(error) => Err(error.into()),
    }
}
