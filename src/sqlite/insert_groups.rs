//! Writing groups of entries in one transaction.

use std::time::Instant;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation};
use diesel::result::Error::{DatabaseError, NotFound};

use crate::error::{Error, Result};
use crate::sqlite::busy::with_retry;
use crate::sqlite::fragments::last_insert_rowid;
use crate::sqlite::insert::{insert_row, summarize_after};
use crate::sqlite::transaction::{begin_immediately, with_transaction};
use crate::store::group::{Group, Outcome, Uncommitted};

/// Writes groups in their order in one transaction: see [`Store::insert_groups`](crate::store::Store::insert_groups).
pub(crate) fn insert_groups(
    conn: &mut SqliteConnection,
    groups: &[Group<'_>],
    until: Instant,
) -> Result<Vec<Outcome>, Uncommitted> {
    with_retry(conn, |conn| Ok(begin_immediately(conn)?))?;
    let outcomes = match insert_in_order(conn, groups, until) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            // SQLite may have rolled back already, as on a full disk. The first error says why.
            drop(AnsiTransactionManager::rollback_transaction(conn));
            return Err(error.into());
        }
    };
    if let Err(error) = AnsiTransactionManager::commit_transaction(conn) {
        let error = error.into();
        // A deferred constraint is checked first, so nothing is committed then.
        return Err(if is_of_entry(&error) { error.into() } else { Uncommitted { error, outcomes } });
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
            _ => with_transaction(conn, |conn| insert_entries(conn, group)),
        };
        match outcome {
            Err(error) if !is_of_entry(&error) => return Err(error),
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

/// Whether the entry is at fault, and the transaction goes on.
fn is_of_entry(error: &Error) -> bool {
    match error {
        Error::InvalidEntry { .. } | Error::DuplicateId { .. } | Error::Database(NotFound) => true,
        Error::Database(DatabaseError(kind, _)) => {
            matches!(kind, CheckViolation | ForeignKeyViolation | NotNullViolation | UniqueViolation)
        }
        _ => false,
    }
}
