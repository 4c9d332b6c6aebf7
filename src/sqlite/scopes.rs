//! The parts of the log in which rows may match, one after the other.

use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::action_names::ActionNames;
use crate::sqlite::query::{Scope, Selection};
use crate::sqlite::search::term::IndexedTerm;
use crate::sqlite::segments::candidates::CandidateRanges;
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::store::range::{Order, SeqRange};

/// Calls `work` with each part of the log in which rows may match, the oldest first, until `work` returns that it has
/// enough. The parts do not overlap. `rows` is how many rows `work` wants.
///
/// The caller is in a transaction.
pub(crate) fn for_each_scope(
    conn: &mut SqliteConnection,
    selection: &Selection<'_>,
    rows: i64,
    mut work: impl FnMut(&mut SqliteConnection, Scope<'_>) -> Result<bool>,
) -> Result<()> {
    let actions = ActionNames::find(conn, selection)?;
    if actions.as_list().is_some_and(<[_]>::is_empty) {
        return Ok(());
    }
    let within = |range: SeqRange| Scope { actions: actions.as_list(), ..range.into() };
    let Some(mut term) = IndexedTerm::new(conn, selection)? else {
        let predicate = SegmentPredicate::new(selection, actions.as_list().is_some());
        return for_each_range(conn, predicate, |conn, range| work(conn, within(range)));
    };
    for_each_range(conn, SegmentPredicate::of_times(selection), |conn, range| {
        for (part, is_indexed) in term.parts(range, Order::Ascending) {
            let rest = if is_indexed {
                let mut has_enough = false;
                let rest = term.for_each_candidate_batch(conn, part, Order::Ascending, rows, |conn, candidates| {
                    let scope = within(SeqRange::default());
                    has_enough = work(conn, Scope { candidates: Some(candidates), ..scope })?;
                    Ok(has_enough)
                })?;
                if has_enough {
                    return Ok(true);
                }
                rest
            } else {
                Some(part)
            };
            if let Some(rest) = rest
                && work(conn, within(rest))?
            {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// Calls `work` with each range that a predicate leaves to search, the oldest first, until `work` returns that it has
/// enough.
pub(crate) fn for_each_range(
    conn: &mut SqliteConnection,
    predicate: Option<SegmentPredicate<'_>>,
    mut work: impl FnMut(&mut SqliteConnection, SeqRange) -> Result<bool>,
) -> Result<()> {
    let mut ranges = CandidateRanges::new(conn, predicate, SeqRange::default(), Order::Ascending)?;
    while let Some(range) = ranges.next(conn)? {
        if work(conn, range)? {
            break;
        }
    }
    Ok(())
}
