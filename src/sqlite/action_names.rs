//! The actions that begin with a prefix. The index on actions finds rows in the order of `seq` only by the names of
//! these actions.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::model::pattern::end_of;
use crate::sqlite::query::Selection;
use crate::sqlite::stored_text::Stored;

/// A query lists at most this many actions: the longest lists of the filters leave room for them.
const MAX_ACTIONS: usize = 128;

/// Steps from action to action in the index.
const ACTIONS_IN_RANGE: &str = "WITH RECURSIVE action (name) AS (\
        SELECT min(action) FROM activity_log WHERE action >= ?1 AND action < ?2 \
        UNION ALL \
        SELECT (SELECT min(action) FROM activity_log WHERE action > name AND action < ?2) FROM action \
        WHERE name IS NOT NULL \
    ) SELECT name FROM action WHERE name IS NOT NULL AND substr(name, 1, length(?1)) = ?1 LIMIT ?3";

#[derive(QueryableByName)]
struct Action {
    #[diesel(sql_type = Text)]
    name: Stored<String>,
}

/// How a query finds the actions of filters with prefixes.
#[derive(Debug)]
pub(crate) enum ActionNames {
    /// By name: these are all actions that the filters stand for.
    Listed(Vec<String>),
    /// Not by name: the filters have no prefixes or stand for too many actions, or another index serves them better.
    Unlisted,
}

impl ActionNames {
    pub(crate) fn find(conn: &mut SqliteConnection, selection: &Selection<'_>) -> QueryResult<Self> {
        if !selection.needs_action_names() {
            return Ok(Self::Unlisted);
        }
        let actions = &selection.filters.actions;
        let mut names = actions.names.clone();
        for prefix in &actions.prefixes {
            let Some(limit) = MAX_ACTIONS.checked_sub(names.len()) else { return Ok(Self::Unlisted) };
            let found = diesel::sql_query(ACTIONS_IN_RANGE)
                .bind::<Text, _>(prefix)
                .bind::<Text, _>(end_of(prefix))
                .bind::<BigInt, _>(limit as i64 + 1)
                .load::<Action>(conn)?;
            if found.len() > limit {
                return Ok(Self::Unlisted);
            }
            match found.into_iter().map(|action| action.name.lossless()).collect::<Option<Vec<_>>>() {
                Some(found) => names.extend(found),
                None => return Ok(Self::Unlisted),
            }
        }
        Ok(Self::Listed(names))
    }

    pub(crate) fn as_list(&self) -> Option<&[String]> {
        match self {
            Self::Listed(names) => Some(names),
            Self::Unlisted => None,
        }
    }
}
