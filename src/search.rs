//! The optional index of the messages: it finds candidates, of which the test that decides without it decides still.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use crate::filters::like_pattern;
use crate::row::text;
use crate::span::{Order, Span};
use crate::sqlite::{AtMost, has, in_one_transaction};
use crate::{ActivityLogFilters, Result};

/// Shorter terms have no trigram.
const TRIGRAM: usize = 3;
/// How many trigrams of a term are compared, spread over it.
const MOST_COMPARED: usize = 16;
/// How many mentions of a trigram are looked at for that.
const MENTIONS: i64 = 64;
/// How many trigrams a candidate must have.
const MOST_ASKED: usize = 3;
/// How many candidates are looked at before the log itself is: enough for any term on its own, and not too many beside
/// a filter that hardly any of them passes.
const MOST_CANDIDATES: i64 = 16_384;
/// How many candidates one statement lists: with the longest list of categories, as many as SQLite takes.
const MOST_LISTED: usize = 512;

diesel::table! {
    /// The trigrams of the messages.
    activity_log_search (rowid) {
        /// The entry's `seq`.
        rowid -> BigInt,
        /// What is matched against.
        #[sql_name = "activity_log_search"]
        trigrams -> Text,
    }
}
diesel::infix_operator!(Matches, " MATCH ");

/// Has searches in messages served by an index from now on: for terms of three characters and more, `message_contains`
/// no longer scans the log. What is found stays the same.
///
/// Call it at every start-up after [`run_migrations`](crate::run_migrations); when the index is there, it does nothing.
/// The first time it reads the whole log in one transaction, some seconds for each million entries; a writer that waits
/// longer than its busy timeout meanwhile gets [`Error::Busy`](crate::Error::Busy). The file grows by about a seventh.
///
/// Recording, pruning and every other change of the log then keep the index through triggers, whichever program makes
/// them; it needs an SQLite with FTS5 and its trigram tokenizer (3.34 or newer), which the bundled one has. The triggers
/// and the table belong together: remove them by [`disable_search`] alone. `cargo bench --bench writes` shows what they
/// cost a record; a prune takes several times as long. Parts of deleted messages may stay in the index until SQLite
/// merges them away.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// let mut conn = activity_log::connect(":memory:")?;
/// activity_log::run_migrations(&mut conn)?;
/// activity_log::enable_search(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Busy`](crate::Error::Busy) when the lock cannot be had, [`Error::Full`](crate::Error::Full) when there is
/// no room, [`Error::Database`](crate::Error::Database) when the database fails otherwise, as without FTS5; nothing has
/// changed then.
pub fn enable_search(conn: &mut SqliteConnection) -> Result<()> {
    if is_enabled(conn)? {
        return Ok(());
    }
    in_one_transaction(conn, |conn| {
        if !is_enabled(conn)? {
            // Without its triggers, a table that is there knows nothing of what was recorded since.
            drop_index(conn)?;
            create_index(conn)?;
        }
        Ok(())
    })
}

/// Removes the index that [`enable_search`] added, if it is there.
///
/// # Errors
///
/// Those of [`enable_search`].
pub fn disable_search(conn: &mut SqliteConnection) -> Result<()> {
    in_one_transaction(conn, |conn| Ok(drop_index(conn)?))
}

/// Does `work`, which empties the log, without the index if there is one, and adds that again: each row would be taken out
/// of it one by one, where SQLite drops them all at once. The caller does so in a transaction.
pub(crate) fn without_index<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let enabled = is_enabled(conn)?;
    if enabled {
        drop_index(conn)?;
    }
    let value = work(conn)?;
    if enabled {
        create_index(conn)?;
    }
    Ok(value)
}

pub(crate) fn is_enabled(conn: &mut SqliteConnection) -> QueryResult<bool> {
    has(conn, "activity_log_search_insert")
}

fn create_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(
        "CREATE VIRTUAL TABLE activity_log_search USING fts5( \
            message, content = 'activity_log', content_rowid = 'seq', \
            tokenize = 'trigram', detail = 'none', columnsize = 0 \
        ); \
        CREATE TRIGGER activity_log_search_insert AFTER INSERT ON activity_log BEGIN \
            INSERT INTO activity_log_search (rowid, message) VALUES (new.seq, new.message); \
        END; \
        CREATE TRIGGER activity_log_search_delete AFTER DELETE ON activity_log BEGIN \
            INSERT INTO activity_log_search (activity_log_search, rowid, message) \
            VALUES ('delete', old.seq, old.message); \
        END; \
        CREATE TRIGGER activity_log_search_update AFTER UPDATE OF seq, message ON activity_log BEGIN \
            INSERT INTO activity_log_search (activity_log_search, rowid, message) \
            VALUES ('delete', old.seq, old.message); \
            INSERT INTO activity_log_search (rowid, message) VALUES (new.seq, new.message); \
        END; \
        INSERT INTO activity_log_search (activity_log_search) VALUES ('rebuild'); \
        INSERT INTO activity_log_search (activity_log_search) VALUES ('optimize');",
    )
}

fn drop_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(
        "DROP TRIGGER IF EXISTS activity_log_search_insert; \
        DROP TRIGGER IF EXISTS activity_log_search_delete; \
        DROP TRIGGER IF EXISTS activity_log_search_update; \
        DROP TABLE IF EXISTS activity_log_search;",
    )
}

/// Whether the index can find candidates for these filters.
pub(crate) fn is_indexed(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> QueryResult<bool> {
    let term = text(filters.message_contains.as_deref().unwrap_or_default());
    // A term that LIKE would not take literally may not be taken so by FTS5 either.
    Ok(term.chars().count() >= TRIGRAM && like_pattern(&term).is_some() && is_enabled(conn)?)
}

/// Some trigrams of a term, which a message that contains it must have.
#[derive(Debug, Clone)]
pub(crate) struct Trigrams(String);

impl Trigrams {
    /// The rarest that the term of the filters has, judged by how far back their last mentions go.
    ///
    /// All of them would hardly narrow the search any more, and a trigram that every message has takes longest to
    /// look up.
    pub(crate) fn rarest(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> QueryResult<Self> {
        let term = text(filters.message_contains.as_deref().unwrap_or_default());
        let characters = term.chars().collect::<Vec<_>>();
        let trigrams = characters.windows(TRIGRAM);
        let step = trigrams.len().div_ceil(MOST_COMPARED).max(1);
        let mut compared = Vec::new();
        for trigram in trigrams.step_by(step).collect::<BTreeSet<_>>() {
            let quoted = format!("\"{}\"", trigram.iter().collect::<String>().replace('"', "\"\""));
            let trigram = Self(quoted);
            let mentions = trigram.candidates(conn, Span::default(), Order::Descending, MENTIONS)?;
            if (mentions.len() as i64) < MENTIONS {
                // No other could save more than it costs to look up.
                return Ok(trigram);
            }
            compared.push((mentions.last().copied(), trigram.0));
        }
        compared.sort_unstable();
        let rarest = compared.into_iter().take(MOST_ASKED).map(|(_, trigram)| trigram);
        Ok(Self(rarest.collect::<Vec<_>>().join(" AND ")))
    }

    /// Does `work` on lists of the candidates within a span, until it has enough: first on as many as may have so many
    /// rows, then on ever more. Where there are too many, it returns the rest of the span, to be read without the index.
    pub(crate) fn until_enough(
        &self,
        conn: &mut SqliteConnection,
        mut span: Span,
        order: Order,
        rows: i64,
        mut work: impl FnMut(&mut SqliteConnection, &[i64]) -> Result<bool>,
    ) -> Result<Option<Span>> {
        let mut most = rows.saturating_mul(2).min(MOST_CANDIDATES);
        while most <= MOST_CANDIDATES {
            let candidates = self.candidates(conn, span, order, most)?;
            let more = candidates.len() as i64 == most;
            if more && most == MOST_CANDIDATES {
                break;
            }
            for listed in candidates.chunks(MOST_LISTED) {
                if work(conn, listed)? {
                    return Ok(None);
                }
            }
            match candidates.last().filter(|_| more).and_then(|last| span.split(order, *last).1) {
                Some(rest) => span = rest,
                None => return Ok(None),
            }
            most *= 4;
        }
        Ok(Some(span))
    }

    /// The `seq` of the first candidates within a span, so many at most.
    fn candidates(&self, conn: &mut SqliteConnection, span: Span, order: Order, most: i64) -> QueryResult<Vec<i64>> {
        let mut candidates = activity_log_search::table
            .select(activity_log_search::rowid)
            .filter(Matches::new(activity_log_search::trigrams, self.0.as_str().into_sql::<Text>()))
            .into_boxed::<Sqlite>();
        if let Some(after) = span.after {
            candidates = candidates.filter(activity_log_search::rowid.gt(after));
        }
        if let Some(before) = span.before {
            candidates = candidates.filter(activity_log_search::rowid.lt(before));
        }
        let candidates = match order {
            Order::Ascending => candidates.order(activity_log_search::rowid.asc()),
            Order::Descending => candidates.order(activity_log_search::rowid.desc()),
        };
        AtMost { rows: most, of: candidates }.load(conn)
    }
}
