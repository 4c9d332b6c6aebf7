//! Changes entries that are in the log.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::DateTime;
use diesel::sql_types::BigInt;

use crate::error::{Error, Result};
use crate::model::encoding::{EncodedEntry, Encoding};
use crate::model::entry::NewActivityLogEntry;
use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::delete::listed;
use crate::postgres::execute::Execute;
use crate::postgres::extent::newest_seq;
use crate::postgres::follow::settled_seq;
use crate::postgres::lengths::check_lengths;
use crate::postgres::read::read;
use crate::postgres::references::References;
use crate::postgres::rollups::upkeep::{catch_up_if_possible, forget_old_texts};
use crate::postgres::row::ActivityLogRow;
use crate::postgres::savepoint::attempt_to_load;
use crate::postgres::statement::{Bind, Sql, Statement};
use crate::postgres::transaction::is_in_transaction;
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::range::{Order, SeqRange};

/// The rows that one statement changes at most.
const BATCH: ReadLimit = ReadLimit { rows: 500, bytes: 1 << 20 };

/// Passes each matching entry to `change` and stores the result. With `vacuum` and outside of transactions, the old texts
/// are removed from the table's files as well. Returns how many entries changed.
pub(crate) async fn rewrite(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    encoding: Encoding<'_>,
    vacuum: bool,
    mut change: impl FnMut(&mut NewActivityLogEntry),
) -> Result<u64> {
    let is_in_transaction = is_in_transaction(conn).await?;
    // What is committed later below the newest number would be left as it is.
    if !is_in_transaction {
        settled_seq(conn).await?.now()?;
    }
    let newest = newest_seq(conn).await?;
    let mut rewriting =
        Rewriting { references: References::find(conn).await?, is_in_transaction, rewritten: 0, failure: None };
    let mut rest = newest.map(SeqRange::through).unwrap_or_default();
    while newest.is_some() {
        let mut batch = Batch::default();
        read(conn, filters, rest, Order::Ascending, BATCH, &mut batch).await?;
        let (last, is_full) = (batch.last_seq(), batch.is_full(BATCH));
        let mut changed = Vec::new();
        while let Some(row) = batch.pop() {
            let (seq, outcome) = (row.seq(), changed_entry(row, &mut change));
            match outcome {
                Ok(entry) => changed.extend(entry.map(|entry| (seq, entry))),
                Err(error) => rewriting.fail(error),
            }
        }
        rewriting.store(conn, &changed, encoding).await?;
        match last {
            Some(last) if is_full => rest.after = Some(last),
            _ => break,
        }
    }
    // Also if nothing has changed: an earlier call may have been interrupted before this.
    if !rewriting.is_in_transaction && vacuum {
        forget_old_texts(conn).await?;
        conn.batch("VACUUM (FULL, ANALYZE) activity_log").await?;
    } else if !rewriting.is_in_transaction {
        catch_up_if_possible(conn).await;
    }
    rewriting.failure.map_or(Ok(rewriting.rewritten), Err)
}

/// The entry as `change` leaves it; `None` if it leaves it as it is.
fn changed_entry(
    row: ActivityLogRow,
    change: &mut impl FnMut(&mut NewActivityLogEntry),
) -> Result<Option<NewActivityLogEntry>> {
    let entry = NewActivityLogEntry::from(row.decode()?);
    let mut changed = entry.clone();
    change(&mut changed);
    (changed.id, changed.ts) = (entry.id.clone(), entry.ts);
    if changed == entry {
        return Ok(None);
    }
    // The time is not written again, and a row from another program may have a time that would be refused.
    changed.ts = DateTime::UNIX_EPOCH;
    Ok(Some(changed))
}

struct Rewriting {
    references: References,
    is_in_transaction: bool,
    rewritten: u64,
    /// Why the first entry that stays as it is could not be rewritten.
    failure: Option<Error>,
}

impl Rewriting {
    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    async fn store(
        &mut self,
        conn: &mut impl Execute,
        changed: &[(i64, NewActivityLogEntry)],
        encoding: Encoding<'_>,
    ) -> Result<()> {
        let mut rows = Vec::with_capacity(changed.len());
        for (seq, entry) in changed {
            let encoded = encoding.encode(entry, 0).and_then(|row| check_lengths(&row, 0).map(|()| row));
            match encoded {
                Ok(encoded) => rows.push((*seq, encoded)),
                Err(Error::InvalidEntry { field, reason, .. }) => {
                    self.fail(Error::NotRewritten { seq: *seq, reason: format!("`{field}` {reason}") });
                }
                Err(error) => return Err(error),
            }
        }
        let mut lists = vec![&rows[..]];
        while let Some(list) = lists.pop() {
            if list.is_empty() {
                continue;
            }
            let updated = match attempt_to_load(conn, self.is_in_transaction, update_statement(list)).await {
                Ok(updated) => updated.into_iter().collect::<HashSet<_>>(),
                Err(error) if self.references.hold_back(&error) && list.len() > 1 => {
                    lists.extend(<[_; 2]>::from(list.split_at(list.len() / 2)));
                    continue;
                }
                Err(error) if self.references.hold_back(&error) => HashSet::new(),
                Err(error) => return Err(error.into()),
            };
            self.rewritten += updated.len() as u64;
            let missing = list.iter().map(|(seq, _)| *seq).filter(|seq| !updated.contains(seq)).collect::<Vec<_>>();
            // The others have been deleted meanwhile.
            if !missing.is_empty()
                && let Some(seq) = listed(conn, &missing).await?.first()
            {
                let reason = "a trigger or a foreign key of the database keeps it".to_owned();
                self.fail(Error::NotRewritten { seq: *seq, reason });
            }
        }
        Ok(())
    }
}

/// One statement, which changes all of the rows or none.
fn update_statement<'a>(rows: &'a [(i64, EncodedEntry<'_>)]) -> Statement<'a, BigInt> {
    let seqs = rows.iter().map(|(seq, _)| *seq).collect::<Vec<_>>();
    let texts = |value: fn(&'a EncodedEntry<'_>) -> &'a str| {
        Bind::Texts(rows.iter().map(|(_, row)| Cow::Borrowed(value(row))).collect())
    };
    let optional = |value: fn(&'a EncodedEntry<'_>) -> &'a Option<Cow<'a, str>>| {
        Bind::OptionalTexts(rows.iter().map(|(_, row)| value(row).as_deref().map(Cow::Borrowed)).collect())
    };
    let columns = [
        texts(|row| &row.category),
        texts(|row| &row.action),
        texts(|row| row.severity.as_str()),
        texts(|row| &row.actor),
        optional(|row| &row.entity_type),
        optional(|row| &row.entity_id),
        optional(|row| &row.entity_name),
        texts(|row| &row.message),
        texts(|row| &row.metadata),
    ];
    let mut update = Sql::new(
        "UPDATE activity_log SET category = changed.category, action = changed.action, severity = changed.severity, \
            actor = changed.actor, entity_type = changed.entity_type, entity_id = changed.entity_id, \
            entity_name = changed.entity_name, message = changed.message, metadata = changed.metadata \
        FROM unnest(",
    );
    update = update.bind(Bind::Numbers(Cow::Owned(seqs)));
    for column in columns {
        update = update.text(", ").bind(column);
    }
    let names = "seq, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata";
    update
        .text(format!(") AS changed ({names}) WHERE activity_log.seq = changed.seq RETURNING activity_log.seq"))
        .returning()
}
