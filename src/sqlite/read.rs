//! Reading rows in the order of `seq`.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::schema::activity_log;
use crate::sqlite::action_names::ActionNames;
use crate::sqlite::bounds::in_order;
use crate::sqlite::entity_types;
use crate::sqlite::extent::{newest_seq, oldest_seq};
use crate::sqlite::fragments::WithLimit;
use crate::sqlite::query::{Scope, Selection};
use crate::sqlite::row::ActivityLogRow;
use crate::sqlite::search::term::IndexedTerm;
use crate::sqlite::segments::candidates::CandidateRanges;
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::transaction::with_read_transaction;
use crate::store::batch::{Batch, ReadLimit};
use crate::store::range::{Order, SeqRange};

/// How many `seq` are looked through before the search index is asked: a common term fills a page there.
const NEAREST: i64 = 1_024;

/// Replaces the batch with the first matching rows of a range.
pub(crate) fn read(
    conn: &mut SqliteConnection,
    filters: &NormalizedFilters,
    range: SeqRange,
    order: Order,
    limit: ReadLimit,
    batch: &mut Batch<ActivityLogRow>,
) -> Result<()> {
    batch.restart(limit);
    let Some(selection) = Selection::new(filters) else { return Ok(()) };
    let reader = Reader { selection: &selection, order, limit };
    if !selection.needs_lookup() && SegmentPredicate::new(&selection, false).is_none() {
        return reader.append(conn, range.into(), batch);
    }
    with_read_transaction(conn, |conn| reader.append_in_candidates(conn, range, batch))
}

/// The row with this id.
pub(crate) fn find(conn: &mut SqliteConnection, id: &str) -> QueryResult<Option<ActivityLogRow>> {
    let by_id = activity_log::table.filter(activity_log::id.eq(id));
    by_id.select(ActivityLogRow::as_select()).get_result(conn).optional()
}

struct Reader<'a> {
    selection: &'a Selection<'a>,
    order: Order,
    limit: ReadLimit,
}

impl Reader<'_> {
    fn append_in_candidates(
        &self,
        conn: &mut SqliteConnection,
        range: SeqRange,
        batch: &mut Batch<ActivityLogRow>,
    ) -> Result<()> {
        let types = entity_types::of_id_alone(conn, self.selection.filters)?;
        if types.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let actions = ActionNames::find(conn, self.selection)?;
        if actions.as_list().is_some_and(<[_]>::is_empty) {
            return Ok(());
        }
        let mut term = IndexedTerm::new(conn, self.selection)?;
        let predicate = match term {
            // The search index finds its candidates wherever they are, so only the times narrow the search.
            Some(_) => SegmentPredicate::of_times(self.selection),
            None => SegmentPredicate::new(self.selection, actions.as_list().is_some()),
        };
        let mut ranges = CandidateRanges::new(conn, predicate, range, self.order)?;
        while !batch.is_full(self.limit)
            && let Some(range) = ranges.next(conn)?
        {
            let scope = Scope { entity_types: types.as_deref(), actions: actions.as_list(), ..range.into() };
            match &mut term {
                Some(term) => self.append_by_term(conn, scope, term, batch)?,
                None => self.append(conn, scope, batch)?,
            }
        }
        Ok(())
    }

    fn append_by_term(
        &self,
        conn: &mut SqliteConnection,
        scope: Scope<'_>,
        term: &mut IndexedTerm<'_>,
        batch: &mut Batch<ActivityLogRow>,
    ) -> Result<()> {
        for (range, is_indexed) in term.parts(scope.range, self.order) {
            let scope = Scope { range, ..scope };
            match is_indexed {
                _ if batch.is_full(self.limit) => break,
                true => self.append_candidates(conn, scope, term, batch)?,
                false => self.append(conn, scope, batch)?,
            }
        }
        Ok(())
    }

    fn append_candidates(
        &self,
        conn: &mut SqliteConnection,
        scope: Scope<'_>,
        term: &mut IndexedTerm<'_>,
        batch: &mut Batch<ActivityLogRow>,
    ) -> Result<()> {
        let Some(seq) = self.last_near_seq(conn, scope.range)? else {
            return Ok(());
        };
        let (near, rest) = scope.range.split(self.order, seq);
        self.append(conn, Scope { range: near, ..scope }, batch)?;
        let Some(rest) = rest.filter(|_| !batch.is_full(self.limit)) else {
            return Ok(());
        };
        let rest = term.for_each_candidate_batch(conn, rest, self.order, self.limit.rows, |conn, candidates| {
            let scope = Scope { range: SeqRange::default(), candidates: Some(candidates), ..scope };
            self.append(conn, scope, batch)?;
            Ok(batch.is_full(self.limit))
        })?;
        rest.map_or(Ok(()), |range| self.append(conn, Scope { range, ..scope }, batch))
    }

    /// The last `seq` of the part of a range that is looked through without the search index; `None` if the log is
    /// empty.
    fn last_near_seq(&self, conn: &mut SqliteConnection, range: SeqRange) -> QueryResult<Option<i64>> {
        let start = match self.order {
            Order::Ascending if range.after.is_some() => range.after,
            Order::Ascending => oldest_seq(conn)?,
            Order::Descending if range.before.is_some() => range.before,
            Order::Descending => newest_seq(conn)?,
        };
        Ok(start.map(|start| match self.order {
            Order::Ascending => start.saturating_add(NEAREST),
            Order::Descending => start.saturating_sub(NEAREST),
        }))
    }

    fn append(&self, conn: &mut SqliteConnection, scope: Scope<'_>, batch: &mut Batch<ActivityLogRow>) -> Result<()> {
        let query = in_order(self.selection.matching(scope), activity_log::seq, self.order);
        let limit = self.limit.rows - batch.len() as i64;
        let query = WithLimit { query: query.select(activity_log::all_columns), limit };
        for row in query.load_iter::<ActivityLogRow, DefaultLoadingMode>(conn)? {
            batch.push(row?);
            if batch.is_full(self.limit) {
                break;
            }
        }
        Ok(())
    }
}
