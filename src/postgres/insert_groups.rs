//! Writing groups of entries in one transaction. Only a recorder does, on a blocking connection.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

use diesel::prelude::QueryResult;
use diesel::result::Error::{AlreadyInTransaction, NotFound};
use diesel::sql_types::{BigInt, Text};

use crate::error::postgres::is_of_another_server;
use crate::error::{Error, Result};
use crate::model::encoding::EncodedEntry;
use crate::postgres::execute::Execute;
use crate::postgres::insert::{insert_rows, taken};
use crate::postgres::lengths::check_lengths;
use crate::store::group::{Group, Outcome, Uncommitted};

/// How many entries one statement writes, before the next look at the clock.
const MAX_ROWS: usize = 256;

/// Writes groups in their order in one transaction: see [`Store::insert_groups`](crate::store::Store::insert_groups).
pub(crate) async fn insert_groups(
    conn: &mut impl Execute,
    groups: &[Group<'_>],
    until: Instant,
) -> Result<Vec<Outcome>, Uncommitted> {
    // BEGIN would join the host's transaction, and COMMIT would end it.
    if conn.is_in_diesels_transaction() {
        return Err(AlreadyInTransaction.into());
    }
    conn.batch("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let outcomes = match insert_in_order(conn, groups, until).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            // Where this fails, the connection is gone, and the first error says why.
            let _ = conn.batch("ROLLBACK").await;
            return Err(error.into());
        }
    };
    let Err(error) = conn.batch("COMMIT").await else { return Ok(outcomes) };
    // The connection may be lost after the commit, or that of the coordinator to another server of a distributed log. Any other
    // failure means that there was none.
    let is_of_another_server = is_of_another_server(&error);
    let error = Error::from(error);
    let is_unclear = is_of_another_server || matches!(error, Error::Busy(_));
    Err(if is_unclear { Uncommitted { error, outcomes } } else { error.into() })
}

async fn insert_in_order(conn: &mut impl Execute, groups: &[Group<'_>], until: Instant) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(groups.len());
    let mut singles = Singles::default();
    for group in groups {
        let rows = match encode(group) {
            Ok(rows) => rows,
            Err(error) => {
                singles.add(Err(error));
                continue;
            }
        };
        if rows.len() != 1 || singles.must_go_first(&rows) {
            singles.insert(conn, &mut outcomes).await?;
            if !outcomes.is_empty() && Instant::now() >= until {
                return Ok(outcomes);
            }
        }
        if rows.len() == 1 {
            rows.into_iter().for_each(|row| singles.add(Ok(row)));
        } else {
            outcomes.push(insert_together(conn, rows).await?);
        }
    }
    singles.insert(conn, &mut outcomes).await?;
    Ok(outcomes)
}

fn encode<'a>(group: &Group<'a>) -> Result<Vec<EncodedEntry<'a>>> {
    let entries = group.entries.iter().enumerate().map(|(index, entry)| {
        let encoded = group.encoding.encode(entry, index)?;
        check_lengths(&encoded, index)?;
        Ok(encoded)
    });
    entries.collect()
}

/// Groups of one entry that follow each other. One statement writes them.
#[derive(Default)]
struct Singles<'a> {
    rows: Vec<EncodedEntry<'a>>,
    ids: HashSet<String>,
    /// For each group, why it cannot be written, or that it is the next of the rows.
    groups: Vec<Result<()>>,
}

impl<'a> Singles<'a> {
    /// Whether these are to be written before this row is added. The second of two rows with one id must not win.
    fn must_go_first(&self, rows: &[EncodedEntry<'_>]) -> bool {
        self.rows.len() >= MAX_ROWS || rows.iter().any(|row| self.ids.contains(&*row.id))
    }

    fn add(&mut self, row: Result<EncodedEntry<'a>>) {
        self.groups.push(row.map(|row| {
            self.ids.insert(row.id.clone().into_owned());
            self.rows.push(row);
        }));
    }

    async fn insert(&mut self, conn: &mut impl Execute, outcomes: &mut Vec<Outcome>) -> Result<()> {
        let Self { rows, groups, .. } = std::mem::take(self);
        let mut seqs = insert_new(conn, rows).await?.into_iter();
        outcomes.extend(groups.into_iter().map(|group| {
            group?;
            seqs.next().unwrap_or(Err(NotFound.into())).map(|seq| vec![seq])
        }));
        Ok(())
    }
}

/// Writes all rows or none.
async fn insert_together(conn: &mut impl Execute, rows: Vec<EncodedEntry<'_>>) -> Result<Outcome> {
    if rows.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    conn.batch("SAVEPOINT activity_log").await?;
    let inserted = insert_new(conn, rows).await?.into_iter().enumerate();
    let outcome = inserted.map(|(index, seq)| seq.map_err(|error| at(index, error))).collect::<Outcome>();
    let end = if outcome.is_ok() { "" } else { "ROLLBACK TO SAVEPOINT activity_log; " };
    conn.batch(&format!("{end}RELEASE SAVEPOINT activity_log")).await?;
    Ok(outcome)
}

fn at(index: usize, error: Error) -> Error {
    if let Error::DuplicateId { .. } = error { Error::DuplicateId { index } } else { error }
}

/// Writes the rows whose ids are new, and returns the `seq` of each row or why it was not written.
async fn insert_new(conn: &mut impl Execute, rows: Vec<EncodedEntry<'_>>) -> QueryResult<Vec<Result<i64>>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    // A conflict that is an error would abort the transaction.
    let insert = insert_rows(rows).text(" ON CONFLICT (id) DO NOTHING RETURNING id, seq");
    let mut inserted = conn.load::<(String, i64), _>(insert.returning::<(Text, BigInt)>()).await?;
    // From several servers, the rows return in any order.
    inserted.sort_unstable_by_key(|(_, seq)| *seq);
    if inserted.len() == ids.len() {
        return Ok(inserted.into_iter().map(|(_, seq)| Ok(seq)).collect());
    }
    let taken = taken(conn, ids.clone()).await?.into_iter().collect::<HashSet<_>>();
    let mut seqs = inserted.into_iter().collect::<HashMap<_, _>>();
    let outcome = |id: Cow<'_, str>| match seqs.remove(&*id) {
        Some(seq) => Ok(seq),
        None if taken.contains(&*id) => Err(Error::DuplicateId { index: 0 }),
        // A trigger of the host's has dropped the row.
        None => Err(NotFound.into()),
    };
    Ok(ids.into_iter().map(outcome).collect())
}
