//! Writing groups of entries in one transaction.

use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::error::{Error, Result};
use crate::sqlite::busy::with_retry;
use crate::sqlite::fragments::last_insert_rowid;
use crate::sqlite::insert::{insert_row, summarize_after};
use crate::sqlite::transaction::{is_in_sqlites_transaction, with_savepoint};
use crate::store::group::{Group, Outcome, Uncommitted, is_of_entry};

/// Writes groups in their order in one transaction: see [`Store::insert_groups`](crate::store::Store::insert_groups).
pub(crate) fn insert_groups(
    conn: &mut SqliteConnection,
    groups: &[Group<'_>],
    until: Instant,
) -> Result<Vec<Outcome>, Uncommitted> {
    // As SQL text, because Diesel's transactions are broken for good once SQLite has rolled one back by itself.
    with_retry(conn, |conn| Ok(conn.batch_execute("BEGIN IMMEDIATE")?))?;
    let outcomes = match insert_in_order(conn, groups, until) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            // SQLite may have rolled back already, as on a full disk. The first error says why.
            drop(conn.batch_execute("ROLLBACK"));
            return Err(error.into());
        }
    };
    if let Err(error) = conn.batch_execute("COMMIT") {
        let error = Error::from(error);
        // What can be rolled back was not committed. SQLite may have rolled back already, as it does when it runs out of space.
        let is_rolled_back = conn.batch_execute("ROLLBACK").is_ok() || matches!(error, Error::Full(_));
        return Err(if is_rolled_back { error.into() } else { Uncommitted { error, outcomes } });
    }
    let written = || outcomes.iter().flatten().flatten();
    if let Some(last_seq) = written().max() {
        // The entries are committed whatever happens here, and a later record makes up for it.
        drop(summarize_after(conn, *last_seq, written().count()));
    }
    Ok(outcomes)
}

fn insert_in_order(conn: &mut SqliteConnection, groups: &[Group<'_>], until: Instant) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(groups.len());
    for group in groups {
        let outcome = match group.entries {
            [_] | [] => insert_entries(conn, group),
            // A part of a group that fails is rolled back alone.
            _ => with_savepoint(conn, |conn| insert_entries(conn, group)),
        };
        match outcome {
            // Whoever has made the table may have told SQLite to roll back everything.
            Err(error) if !is_of_entry(&error) || !is_in_sqlites_transaction(conn)? => return Err(error),
            outcome => outcomes.push(outcome),
        }
        if Instant::now() >= until {
            break;
        }
    }
    Ok(outcomes)
}

fn insert_entries(conn: &mut SqliteConnection, group: &Group<'_>) -> Outcome {
    let mut seqs = Vec::with_capacity(group.entries.len());
    for (index, entry) in group.entries.iter().enumerate() {
        insert_row(conn, entry, index, group.encoding)?;
        seqs.push(diesel::select(last_insert_rowid()).get_result(conn)?);
    }
    Ok(seqs)
}
