//! Filters as SQL.

use diesel::dsl::{not, sql};
use diesel::expression::is_aggregate::No;
use diesel::expression::{AppearsOnTable, SqlLiteral, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;

use crate::model::normalized_filters::NormalizedFilters;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::sqlite::bounds::in_range;
use crate::sqlite::entity_types::DISTINCT_TYPES;
use crate::sqlite::fragments::{instr, lower};
use crate::sqlite::hints::{NoIndex, selective, unselective};
use crate::sqlite::timestamp::TimeRange;
use crate::store::range::SeqRange;

/// `SQLITE_MAX_LIKE_PATTERN_LENGTH`.
const MAX_LIKE_PATTERN_BYTES: usize = 50_000;

/// Filters with what SQLite needs of them, computed once per call.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) filters: &'a NormalizedFilters,
    pub(crate) times: TimeRange,
    pub(crate) message: Option<MessageTest>,
}

/// How to find a term in a message.
#[derive(Debug)]
pub(crate) enum MessageTest {
    /// By this pattern.
    Like(String),
    /// By this term in lower case, because LIKE would refuse the pattern or not take it literally.
    Instr(String),
}

/// Which rows to search for matches; all rows by default.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) range: SeqRange,
    /// Only these.
    pub(crate) candidates: Option<&'a [i64]>,
    /// If the filters name an entity id and no type: all types that the id has, at least one.
    pub(crate) entity_types: Option<&'a [String]>,
}

impl From<SeqRange> for Scope<'_> {
    fn from(range: SeqRange) -> Self {
        Self { range, ..Self::default() }
    }
}

impl<'a> Selection<'a> {
    /// `None` if no row can match.
    pub(crate) fn new(filters: &'a NormalizedFilters) -> Option<Self> {
        let message = filters.message_contains.as_deref().map(MessageTest::new);
        Some(Self { filters, times: TimeRange::new(filters)?, message })
    }

    /// Whether something has to be looked up before the rows: the types of an entity id, or candidates for a text.
    pub(crate) fn needs_lookup(&self) -> bool {
        self.message.is_some() || (self.filters.entity_id.is_some() && self.filters.entity_type.is_none())
    }

    /// The matching rows within a scope, to be read in the order of `seq`.
    pub(crate) fn matching(&'a self, scope: Scope<'a>) -> BoxedQuery<'a, Sqlite> {
        let filters = self.filters;
        // Use the most selective index: entity, then actor, then category and severity.
        let by_actor = filters.entity_id.is_none();
        let by_category = by_actor && filters.actor.is_none();
        let by_errors = by_actor && filters.actor.is_some() && filters.restrict_to_errors();
        let by_kind = by_category && !filters.categories.is_empty() && filters.exclude_info();
        let by_severity = by_kind || (by_category && filters.categories.is_empty());

        let mut query = activity_log::table.into_boxed();
        if !filters.categories.is_empty() {
            query = any_of(query, activity_log::category, texts(&filters.categories), by_category);
        }
        if by_errors {
            query = query.filter(unselective(sql::<Bool>(SEVERITY_IS_ERROR)));
        } else if !filters.severities.is_empty() {
            query = any_of(query, activity_log::severity, filters.severity_texts(), by_severity);
        }
        if by_kind {
            query = query.filter(sql::<Bool>(SEVERITY_IS_NOT_INFO));
        }
        if !filters.excluded_categories.is_empty() {
            let is_excluded = activity_log::category.eq_any(&filters.excluded_categories);
            query = query.filter(activity_log::category.is_null().or(not(is_excluded)));
        }
        if !filters.excluded_severities.is_empty() {
            let excluded = filters.excluded_severities.iter().map(|severity| severity.as_str());
            let is_excluded = activity_log::severity.eq_any(excluded.collect::<Vec<_>>());
            query = query.filter(activity_log::severity.is_null().or(not(is_excluded)));
        }
        if let Some(actor) = &filters.actor {
            query = any_of(query, activity_log::actor, vec![actor], by_actor);
        }
        if let Some(entity_type) = &filters.entity_type {
            query = query.filter(selective(activity_log::entity_type.eq(entity_type)));
        }
        if let Some(entity_id) = &filters.entity_id {
            query = query.filter(selective(activity_log::entity_id.eq(entity_id)));
        }
        if filters.entity_id.is_some() && filters.entity_type.is_none() {
            query = match scope.entity_types {
                Some(types) => any_of(query, activity_log::entity_type.assume_not_null(), texts(types), true),
                None => query.filter(any_entity_type()),
            };
        }
        if let Some(since) = &self.times.since {
            query = query.filter(NoIndex::new(activity_log::ts).ge(since));
        }
        if let Some(until) = &self.times.until {
            query = query.filter(NoIndex::new(activity_log::ts).le(until));
        }
        match &self.message {
            Some(MessageTest::Like(pattern)) => {
                query = query.filter(activity_log::message.like(pattern).escape('\\'));
            }
            Some(MessageTest::Instr(term)) => query = query.filter(instr(lower(activity_log::message), term).gt(0)),
            None => {}
        }
        if let Some(candidates) = scope.candidates {
            query = query.filter(activity_log::seq.eq_any(candidates));
        }
        in_range(query, activity_log::seq, scope.range)
    }

    /// The rows within the time bounds, in the order of time: all that the filters ask for if they [restrict time
    /// only](NormalizedFilters::restrict_time_only), and all of it in the index on `ts`.
    pub(crate) fn within_times(&'a self) -> BoxedQuery<'a, Sqlite> {
        let mut query = activity_log::table.into_boxed();
        if let Some(since) = &self.times.since {
            query = query.filter(activity_log::ts.ge(since));
        }
        if let Some(until) = &self.times.until {
            query = query.filter(activity_log::ts.le(until));
        }
        query
    }
}

impl MessageTest {
    fn new(term: &str) -> Self {
        // LIKE reads U+FFFE and U+FFFF as U+FFFD.
        if term.contains(['\u{FFFD}', '\u{FFFE}', '\u{FFFF}']) {
            return Self::Instr(term.to_ascii_lowercase());
        }
        let mut pattern = String::with_capacity(term.len() + 2);
        pattern.push('%');
        for character in term.chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        if pattern.len() > MAX_LIKE_PATTERN_BYTES {
            return Self::Instr(term.to_ascii_lowercase());
        }
        Self::Like(pattern)
    }
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The rows whose `column` is any of `values`, found by the column's index or looked at among the rows that another index
/// finds.
fn any_of<'a, C>(
    query: BoxedQuery<'a, Sqlite>,
    column: C,
    values: Vec<&'a str>,
    by_index: bool,
) -> BoxedQuery<'a, Sqlite>
where
    C: Expression<SqlType = Text> + AppearsOnTable<activity_log::table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Send + 'a,
{
    // Diesel keeps a statement with `=` prepared, but never one with a list.
    match (values.as_slice(), by_index) {
        ([one], true) => query.filter(selective(column.eq(*one))),
        ([one], false) => query.filter(NoIndex::new(column).eq(*one)),
        (_, true) => query.filter(selective(column.eq_any(values))),
        (_, false) => query.filter(NoIndex::new(column).eq_any(values)),
    }
}

/// SQLite uses the partial index of the errors only for this literal.
const SEVERITY_IS_ERROR: &str = "activity_log.severity IS 'error'";

/// Implied by the list of severities; SQLite uses the partial index on `(category, severity)` only with this literal.
const SEVERITY_IS_NOT_INFO: &str = "activity_log.severity IS NOT 'info'";

/// True of every row; it lets the index on `(entity_type, entity_id)` find an id of any type. An index on the id alone would
/// cost more than all others together. What it finds has to be sorted.
fn any_entity_type() -> SqlLiteral<Bool> {
    sql(&format!(
        "(activity_log.entity_type IS NULL OR activity_log.entity_type IN \
        ({DISTINCT_TYPES} SELECT name FROM type WHERE name IS NOT NULL))"
    ))
}
