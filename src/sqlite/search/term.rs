//! A term that the search index can look for.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use crate::error::Result;
use crate::sqlite::bounds::{in_order, in_range};
use crate::sqlite::fragments::WithLimit;
use crate::sqlite::query::{MessageTest, Selection};
use crate::sqlite::search::index::is_whole;
use crate::sqlite::search::ranges::OutsideIndex;
use crate::store::range::{Order, SeqRange};

/// A shorter term has no trigram.
const TRIGRAM_CHARACTERS: usize = 3;
/// How many trigrams of a term are compared, spread over it.
const MAX_COMPARED: usize = 16;
/// How many mentions of a trigram the comparison looks at.
const MAX_MENTIONS: i64 = 64;
/// How many trigrams a candidate must contain.
const MAX_REQUIRED: usize = 3;
/// How many candidates are looked at before the log itself is: enough for any term on its own, and not too many beside a
/// filter that hardly any of them matches.
const MAX_CANDIDATES: i64 = 16_384;
/// How many candidates one statement lists. With the longest list of categories, SQLite takes no more.
const MAX_LISTED: usize = 512;

diesel::table! {
    /// The trigrams of the messages.
    activity_log_search (rowid) {
        /// The entry's `seq`.
        rowid -> BigInt,
        /// What a full-text query is matched against.
        #[sql_name = "activity_log_search"]
        trigrams -> Text,
    }
}
diesel::infix_operator!(Matches, " MATCH ");

/// A term, with the query that proposes the messages that may contain it.
#[derive(Debug)]
pub(crate) struct IndexedTerm<'a> {
    term: &'a str,
    outside: OutsideIndex,
    /// Computed when it is first needed.
    rarest_trigrams: Option<String>,
}

impl<'a> IndexedTerm<'a> {
    /// The term of a selection; `None` if there is none, or if the index is missing or cannot find it.
    pub(crate) fn new(conn: &mut SqliteConnection, selection: &'a Selection<'a>) -> QueryResult<Option<Self>> {
        // FTS5 may not take a term literally that LIKE does not.
        let (Some(term), Some(MessageTest::Like(_))) = (&selection.filters.message_contains, &selection.message) else {
            return Ok(None);
        };
        if term.chars().nth(TRIGRAM_CHARACTERS - 1).is_none() || !is_whole(conn)? {
            return Ok(None);
        }
        Ok(Some(Self { term, outside: OutsideIndex::find(conn)?, rarest_trigrams: None }))
    }

    /// The parts of a range in the order of reading, and whether [candidates](Self::for_each_candidate_batch) serve each.
    pub(crate) fn parts(&self, range: SeqRange, order: Order) -> Vec<(SeqRange, bool)> {
        self.outside.split(range, order)
    }

    /// Calls `work` with lists of candidates within a range until it returns that it has enough: first with as many as may
    /// hold `rows` rows, then with ever more. If there are too many, it returns the rest of the range, to be read without
    /// the index.
    pub(crate) fn for_each_candidate_batch(
        &mut self,
        conn: &mut SqliteConnection,
        mut range: SeqRange,
        order: Order,
        rows: i64,
        mut work: impl FnMut(&mut SqliteConnection, &[i64]) -> Result<bool>,
    ) -> Result<Option<SeqRange>> {
        let trigrams = match self.rarest_trigrams.take() {
            Some(trigrams) => trigrams,
            None => rarest_trigrams(conn, self.term)?,
        };
        let trigrams = self.rarest_trigrams.insert(trigrams);
        let mut limit = rows.saturating_mul(2).min(MAX_CANDIDATES);
        while limit <= MAX_CANDIDATES {
            let candidates = find(conn, trigrams, range, order, limit)?;
            let has_more = candidates.len() as i64 == limit;
            if has_more && limit == MAX_CANDIDATES {
                break;
            }
            for listed in candidates.chunks(MAX_LISTED) {
                if work(conn, listed)? {
                    return Ok(None);
                }
            }
            match candidates.last().filter(|_| has_more).and_then(|last| range.split(order, *last).1) {
                Some(rest) => range = rest,
                None => return Ok(None),
            }
            limit *= 4;
        }
        Ok(Some(range))
    }
}

/// A full-text query for the rarest trigrams of a term, judged by how far back their last mentions go.
///
/// Requiring all trigrams would hardly narrow the search further, and a trigram that every message has takes longest.
fn rarest_trigrams(conn: &mut SqliteConnection, term: &str) -> QueryResult<String> {
    let characters = term.chars().collect::<Vec<_>>();
    let trigrams = characters.windows(TRIGRAM_CHARACTERS);
    let step = trigrams.len().div_ceil(MAX_COMPARED).max(1);
    let mut compared = Vec::new();
    for trigram in trigrams.step_by(step).collect::<BTreeSet<_>>() {
        let quoted = quoted(&trigram.iter().collect::<String>());
        let mentions = find(conn, &quoted, SeqRange::default(), Order::Descending, MAX_MENTIONS)?;
        if (mentions.len() as i64) < MAX_MENTIONS {
            // No other trigram could save more than its lookup costs.
            return Ok(quoted);
        }
        compared.push((mentions.last().copied(), quoted));
    }
    compared.sort_unstable();
    Ok(compared.into_iter().take(MAX_REQUIRED).map(|(_, trigram)| trigram).collect::<Vec<_>>().join(" AND "))
}

/// Whether the index proposes a row for a trigram.
pub(crate) fn proposes(conn: &mut SqliteConnection, trigram: &str, seq: i64) -> QueryResult<bool> {
    let row = SeqRange::from(seq).intersection(SeqRange::through(seq));
    Ok(!find(conn, &quoted(trigram), row, Order::Ascending, 1)?.is_empty())
}

fn quoted(trigram: &str) -> String {
    format!("\"{}\"", trigram.replace('"', "\"\""))
}

/// The `seq` of the first candidates within a range.
fn find(
    conn: &mut SqliteConnection,
    trigrams: &str,
    range: SeqRange,
    order: Order,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let candidates = activity_log_search::table
        .select(activity_log_search::rowid)
        .filter(Matches::new(activity_log_search::trigrams, trigrams.into_sql::<Text>()))
        .into_boxed::<Sqlite>();
    let candidates = in_range(candidates, activity_log_search::rowid, range);
    WithLimit { query: in_order(candidates, activity_log_search::rowid, order), limit }.load(conn)
}
