//! Filters as SQL.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use crate::model::normalized_filters::NormalizedFilters;
use crate::model::pattern::containing;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::sqlite::bounds::in_range;
use crate::sqlite::conditions::{any_action, any_of, contains_any, no_action, none_of, texts};
use crate::sqlite::entity_types::DISTINCT_TYPES;
use crate::sqlite::fragments::{instr, lower};
use crate::sqlite::hints::{NoIndex, selective};
use crate::sqlite::timestamp::TimeRange;
use crate::store::range::SeqRange;

/// `SQLITE_MAX_LIKE_PATTERN_LENGTH`.
const MAX_LIKE_PATTERN_BYTES: usize = 50_000;

/// Filters, and what SQLite needs to know about them, computed once per call.
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
    /// If the filters have prefixes of actions: all actions that they stand for, at least one.
    pub(crate) actions: Option<&'a [String]>,
}

impl From<SeqRange> for Scope<'_> {
    fn from(range: SeqRange) -> Self {
        Self { range, ..Self::default() }
    }
}

impl<'a> Selection<'a> {
    /// `None` if no row can match.
    pub(crate) fn new(filters: &'a NormalizedFilters) -> Option<Self> {
        if filters.match_nothing {
            return None;
        }
        let message = filters.message_contains.as_deref().map(MessageTest::new);
        Some(Self { filters, times: TimeRange::new(filters)?, message })
    }

    /// Whether something has to be looked up before the rows: the types of an entity id, the actions that begin with a
    /// prefix, or the candidates for a text.
    pub(crate) fn needs_lookup(&self) -> bool {
        self.message.is_some() || self.needs_entity_types() || self.needs_action_names()
    }

    pub(crate) fn needs_entity_types(&self) -> bool {
        self.filters.entity_id.is_some() && self.filters.entity_type.is_none()
    }

    /// Whether the filters have prefixes of actions and the index on actions serves them.
    pub(crate) fn needs_action_names(&self) -> bool {
        !self.filters.actions.prefixes.is_empty() && self.most_selective() == Column::Action
    }

    /// The column by whose index the rows are found.
    fn most_selective(&self) -> Column {
        let filters = self.filters;
        if filters.entity_id.is_some() {
            Column::Entity
        } else if !filters.actors.is_empty() {
            Column::Actor
        } else if !filters.actions.is_empty() {
            Column::Action
        } else if filters.entity_type.is_some() {
            Column::Entity
        } else {
            Column::Kind
        }
    }

    /// The matching rows within a scope, to be read in the order of `seq`.
    pub(crate) fn matching(&'a self, scope: Scope<'a>) -> BoxedQuery<'a, Sqlite> {
        let filters = self.filters;
        let column = self.most_selective();
        // The index on the severity leaves out info.
        let by_severity = column == Column::Kind && filters.leave_out_info();

        let mut query = activity_log::table.into_boxed();
        if !filters.categories.is_empty() {
            query = query.filter(any_of(
                activity_log::category,
                texts(&filters.categories),
                column == Column::Kind && !by_severity,
            ));
        }
        if !filters.excluded_categories.is_empty() {
            query = query.filter(none_of(activity_log::category, texts(&filters.excluded_categories)));
        }
        if !filters.severities.is_empty() {
            query = query.filter(any_of(activity_log::severity, filters.severity_texts(), by_severity));
        }
        if !filters.excluded_severities.is_empty() {
            query = query.filter(none_of(activity_log::severity, filters.excluded_severity_texts()));
        }
        if by_severity {
            query = query.filter(sql::<Bool>(SEVERITY_IS_NOT_INFO));
        }
        if !filters.actors.is_empty() {
            query = query.filter(any_of(activity_log::actor, texts(&filters.actors), column == Column::Actor));
        }
        if !filters.excluded_actors.is_empty() {
            query = query.filter(none_of(activity_log::actor, texts(&filters.excluded_actors)));
        }
        if let Some(actions) = scope.actions {
            query = query.filter(any_of(activity_log::action, texts(actions), column == Column::Action));
        } else if !filters.actions.is_empty() {
            query = query.filter(any_action(activity_log::action, &filters.actions, column == Column::Action));
        }
        if !filters.excluded_actions.is_empty() {
            query = query.filter(no_action(activity_log::action, &filters.excluded_actions));
        }
        if let Some(entity_type) = &filters.entity_type {
            let by_type = column == Column::Entity;
            query = query.filter(any_of(activity_log::entity_type.assume_not_null(), vec![entity_type], by_type));
        }
        if !filters.excluded_entity_types.is_empty() {
            let excluded = texts(&filters.excluded_entity_types);
            query = query.filter(none_of(activity_log::entity_type.assume_not_null(), excluded));
        }
        if let Some(entity_id) = &filters.entity_id {
            query = query.filter(selective(activity_log::entity_id.eq(entity_id)));
        }
        if self.needs_entity_types() {
            query = match scope.entity_types {
                Some(types) => query.filter(any_of(activity_log::entity_type.assume_not_null(), texts(types), true)),
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
        for parts in &filters.metadata_contains {
            query = query.filter(contains_any(activity_log::metadata, parts));
        }
        if let Some(candidates) = scope.candidates {
            query = query.filter(activity_log::seq.eq_any(candidates));
        }
        in_range(query, activity_log::seq, scope.range)
    }

    /// The rows within the time bounds, found in the index on `ts` alone. These are the matching rows of filters that
    /// [restrict time only](NormalizedFilters::restrict_time_only).
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
        let pattern = containing(term);
        if pattern.len() > MAX_LIKE_PATTERN_BYTES {
            return Self::Instr(term.to_ascii_lowercase());
        }
        Self::Like(pattern)
    }
}

/// What an index begins with.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Entity,
    Actor,
    Action,
    /// Category and severity.
    Kind,
}

/// Implied by the list of severities; SQLite uses the partial index on the severity only with this literal.
pub(crate) const SEVERITY_IS_NOT_INFO: &str = "activity_log.severity IS NOT 'info'";

/// True of every row; it lets the index on `(entity_type, entity_id)` find an id of any type. The rows that the index
/// finds have to be sorted. An index on the id alone would cost more than all others together.
fn any_entity_type() -> SqlLiteral<Bool> {
    sql(&format!(
        "(activity_log.entity_type IS NULL OR activity_log.entity_type IN \
        ({DISTINCT_TYPES} SELECT name FROM type WHERE name IS NOT NULL))"
    ))
}
