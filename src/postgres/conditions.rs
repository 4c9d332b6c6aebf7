//! The conditions of filters, each of one column.

use std::borrow::Cow;

use crate::model::normalized_filters::{Actions, NormalizedFilters};
use crate::model::pattern::{beginning_with, containing};
use crate::postgres::search::term::IndexedTerm;
use crate::postgres::statement::{Bind, Sql};
use crate::store::range::SeqRange;

/// A filter that searches may serve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Filter {
    Categories,
    Severities,
    Actions,
    Actors,
    EntityType,
    EntityId,
    /// Excluded categories, severities and actions.
    Excluded,
}

/// All filters, after ` AND ` and as an expression that no index has.
pub(crate) fn rest_of_all(filters: &NormalizedFilters) -> Sql<'_> {
    without_index(rest(filters, |_| false))
}

/// Filters, each after ` AND `, as one expression that no index has.
pub(crate) fn without_index(filters: Sql<'_>) -> Sql<'_> {
    if filters.is_empty() {
        return filters;
    }
    Sql::new(" AND CASE WHEN TRUE").sql(filters).text(" THEN TRUE END")
}

/// The condition for all matching rows of a range. The planner chooses how to find them: all of them are read.
pub(crate) fn all_rows<'a>(filters: &'a NormalizedFilters, term: Option<&IndexedTerm>, range: SeqRange) -> Sql<'a> {
    let mut sql = term.map_or_else(|| Sql::new("TRUE"), IndexedTerm::planned_condition);
    sql = sql.within(range, "seq", 0);
    sql.sql(rest(filters, |_| false))
}

/// The filters that are not served otherwise, each after ` AND `.
pub(crate) fn rest<'a>(filters: &'a NormalizedFilters, is_served: impl Fn(Filter) -> bool) -> Sql<'a> {
    let unless_served = |filter, condition: fn(&'a NormalizedFilters) -> Sql<'a>| {
        if is_served(filter) { Sql::default() } else { condition(filters) }
    };
    unless_served(Filter::Categories, listed_categories)
        .sql(unless_served(Filter::Severities, listed_severities))
        .sql(unless_served(Filter::Actors, listed_actors))
        .sql(unless_served(Filter::Actions, listed_actions))
        .sql(unless_served(Filter::Excluded, excluded_kinds))
        .sql(excluded_actors(filters))
        .sql(unless_served(Filter::EntityType, of_entity_type))
        .sql(unless_served(Filter::EntityId, of_entity_id))
        .sql(of_time(filters))
        .sql(of_message(filters))
        .sql(of_metadata(filters))
}

/// The filters on the columns that the rollups have, each after ` AND `.
pub(crate) fn on_rollups(filters: &NormalizedFilters) -> Sql<'_> {
    of_categories(filters)
        .sql(of_actions(filters))
        .sql(of_severities(filters))
        .sql(listed_actors(filters))
        .sql(excluded_actors(filters))
        .sql(of_entity_type(filters))
}

/// The filters on categories.
pub(crate) fn of_categories(filters: &NormalizedFilters) -> Sql<'_> {
    listed_categories(filters).sql(excluded_categories(filters))
}

/// The filters on actions.
pub(crate) fn of_actions(filters: &NormalizedFilters) -> Sql<'_> {
    listed_actions(filters).sql(excluded_actions(filters))
}

/// The filters on severities.
pub(crate) fn of_severities(filters: &NormalizedFilters) -> Sql<'_> {
    listed_severities(filters).sql(excluded_severities(filters))
}

/// The filters on entity types.
pub(crate) fn of_entity_type(filters: &NormalizedFilters) -> Sql<'_> {
    let excluded = any_of("entity_type", filters.excluded_entity_types.as_slice().into(), true);
    equals("entity_type", filters.entity_type.as_deref()).sql(excluded)
}

fn of_entity_id(filters: &NormalizedFilters) -> Sql<'_> {
    equals("entity_id", filters.entity_id.as_deref())
}

fn listed_categories(filters: &NormalizedFilters) -> Sql<'_> {
    any_of("category", filters.categories.as_slice().into(), false)
}

fn excluded_categories(filters: &NormalizedFilters) -> Sql<'_> {
    any_of("category", filters.excluded_categories.as_slice().into(), true)
}

fn listed_severities(filters: &NormalizedFilters) -> Sql<'_> {
    any_of("severity", filters.severity_texts().into(), false)
}

fn excluded_severities(filters: &NormalizedFilters) -> Sql<'_> {
    any_of("severity", filters.excluded_severity_texts().into(), true)
}

fn listed_actors(filters: &NormalizedFilters) -> Sql<'_> {
    any_of("actor", filters.actors.as_slice().into(), false)
}

fn excluded_actors(filters: &NormalizedFilters) -> Sql<'_> {
    any_of("actor", filters.excluded_actors.as_slice().into(), true)
}

fn listed_actions(filters: &NormalizedFilters) -> Sql<'_> {
    if filters.actions.is_empty() {
        return Sql::default();
    }
    Sql::new(" AND ").sql(any_action(&filters.actions))
}

fn excluded_actions(filters: &NormalizedFilters) -> Sql<'_> {
    if filters.excluded_actions.is_empty() {
        return Sql::default();
    }
    Sql::new(" AND ").sql(any_action(&filters.excluded_actions)).text(" IS NOT TRUE")
}

fn excluded_kinds(filters: &NormalizedFilters) -> Sql<'_> {
    excluded_categories(filters).sql(excluded_severities(filters)).sql(excluded_actions(filters))
}

/// The bounds of the time, each after ` AND `.
pub(crate) fn of_time(filters: &NormalizedFilters) -> Sql<'_> {
    let mut sql = Sql::default();
    if let Some(since) = filters.since {
        sql = sql.text(" AND ts >= ").bind(since);
    }
    if let Some(until) = filters.until {
        sql = sql.text(" AND ts <= ").bind(until);
    }
    sql
}

fn of_message(filters: &NormalizedFilters) -> Sql<'_> {
    let term = filters.message_contains.as_deref();
    term.map_or_else(Sql::default, |term| Sql::new(" AND message ILIKE ").bind(containing(term)))
}

fn of_metadata(filters: &NormalizedFilters) -> Sql<'_> {
    filters.metadata_contains.iter().fold(Sql::default(), |sql, texts| {
        let patterns = texts.iter().map(|text| Cow::Owned(containing(text))).collect();
        sql.text(" AND metadata LIKE ANY(").bind(Bind::Texts(patterns)).text(")")
    })
}

/// An empty list restricts nothing.
fn any_of<'a>(column: &str, values: Bind<'a>, is_excluded: bool) -> Sql<'a> {
    if matches!(&values, Bind::Texts(texts) if texts.is_empty()) {
        return Sql::default();
    }
    let (open, close) = if is_excluded { ("(", ")) IS NOT TRUE") } else { ("", ")") };
    Sql::new(format!(" AND {open}{column} = ANY(")).bind(values).text(close)
}

fn equals<'a>(column: &str, value: Option<&'a str>) -> Sql<'a> {
    value.map_or_else(Sql::default, |value| Sql::new(format!(" AND {column} = ")).bind(value))
}

/// The rows with any of these actions.
fn any_action<'a>(actions: &'a Actions) -> Sql<'a> {
    let mut tests = Vec::new();
    if !actions.names.is_empty() {
        tests.push(Sql::new("action = ANY(").bind(actions.names.as_slice()).text(")"));
    }
    if !actions.prefixes.is_empty() {
        // Faster than `starts_with`, which looks up the collation for each row.
        tests.push(match actions.prefixes.as_slice() {
            [prefix] => Sql::new("action LIKE ").bind(beginning_with(prefix)),
            prefixes => {
                let patterns = prefixes.iter().map(|prefix| Cow::Owned(beginning_with(prefix))).collect();
                Sql::new("action LIKE ANY(").bind(Bind::Texts(patterns)).text(")")
            }
        });
    }
    let mut sql = Sql::new("(");
    for (position, test) in tests.into_iter().enumerate() {
        sql = sql.text(if position == 0 { "" } else { " OR " }).sql(test);
    }
    sql.text(")")
}
