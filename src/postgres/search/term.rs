//! The part of a term that the search index can look for.

use diesel::prelude::QueryResult;
use diesel::sql_types::Bool;

use crate::model::normalized_filters::NormalizedFilters;
use crate::model::pattern::containing;
use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// A shorter part has no trigram. A longer one is cut: more trigrams hardly leave fewer messages.
const MIN_CHARACTERS: usize = 3;
const MAX_CHARACTERS: usize = 32;

/// A pattern for the messages that the search index proposes.
#[derive(Debug, Clone)]
pub(crate) struct IndexedTerm {
    pattern: String,
}

impl IndexedTerm {
    /// The term of filters; `None` if there is none, or if the index is missing or cannot find it.
    pub(crate) async fn find(conn: &mut impl Execute, filters: &NormalizedFilters) -> QueryResult<Option<Self>> {
        let Some(part) = filters.message_contains.as_deref().and_then(indexed_part) else { return Ok(None) };
        let is_enabled = conn.one::<bool, _>(Sql::new(IS_ENABLED).returning::<Bool>()).await?;
        Ok(is_enabled.then(|| Self { pattern: containing(&part.to_ascii_lowercase()) }))
    }

    /// The condition for the messages that the index proposes. The planner uses the index if it takes the pattern for a
    /// selective one.
    pub(crate) fn planned_condition(&self) -> Sql<'static> {
        Sql::new("lower(message) LIKE ").bind(self.pattern.clone())
    }

    /// The same condition, for a statement that must use the index.
    ///
    /// The planner does not look into a subquery for the pattern. It takes it for a selective one, whatever the statistics
    /// say, and uses the index.
    pub(crate) fn condition(&self) -> Sql<'static> {
        Sql::new("lower(message) LIKE (SELECT ").bind(self.pattern.clone()).text("::text)")
    }
}

/// The longest run of ASCII characters with a trigram. How the index folds other characters depends on the database's locale.
fn indexed_part(term: &str) -> Option<&str> {
    let runs = term.split(|character: char| !character.is_ascii());
    let runs = runs.map(|run| run.get(..MAX_CHARACTERS).unwrap_or(run));
    let runs = runs.filter(|run| run.len() >= MIN_CHARACTERS && has_trigram(run));
    runs.max_by_key(|run| run.len())
}

/// Whether messages that contain a text have a trigram in common. A word that begins within the text begins with two spaces
/// there, and one that ends within it ends with one.
fn has_trigram(text: &str) -> bool {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let last = words.clone().count().saturating_sub(1);
    words.enumerate().any(|(position, word)| {
        let padding = if position > 0 { 2 } else { 0 } + if position < last { 1 } else { 0 };
        !word.is_empty() && word.len() + padding >= 3
    })
}

const IS_ENABLED: &str = "\
    SELECT EXISTS (SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam \
        WHERE indrelid = to_regclass('activity_log') AND relname = 'activity_log_search' AND amname = 'gin' AND indisvalid)";

#[cfg(test)]
mod tests {
    use super::indexed_part;

    #[test]
    fn the_longest_ascii_part_with_a_trigram_is_indexed() {
        for (term, expected) in [
            ("ab", None),
            ("abc", Some("abc")),
            ("a b", Some("a b")),
            ("a-b", Some("a-b")),
            (" 49", Some(" 49")),
            ("49 ", Some("49 ")),
            ("4- ", None),
            ("-- ", None),
            ("%_\\", None),
            ("ébcd", Some("bcd")),
            ("abcédefg", Some("defg")),
            ("éabéc", None),
        ] {
            assert_eq!(indexed_part(term), expected, "{term}");
        }
    }

    #[test]
    fn a_long_part_is_cut() {
        assert_eq!(indexed_part(&"x".repeat(5_000)).map(str::len), Some(32));
    }
}
