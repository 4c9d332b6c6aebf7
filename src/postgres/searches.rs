//! Which index finds the matching rows, and by which searches.

use std::borrow::Cow;

use diesel::prelude::QueryResult;

use crate::model::normalized_filters::NormalizedFilters;
use crate::model::severity::ActivitySeverity;
use crate::postgres::conditions::Filter;
use crate::postgres::distributed::is_distributed;
use crate::postgres::execute::Execute;
use crate::postgres::kinds::{Dimensions, Kind};
use crate::postgres::lookup::{actions_that_begin, kinds_of, types_of, values_of};
use crate::postgres::statement::{Bind, Sql};

/// The most searches of an index that one page unites. A longer list is a test on the rows of a walk by `seq`.
const MAX_SEARCHES: usize = 256;

/// The most values that are left by filters that exclude values, or name a severity of any category, and are searched for.
const MAX_VALUES: usize = 32;

const SEVERITIES: [ActivitySeverity; 3] = [ActivitySeverity::Info, ActivitySeverity::Warning, ActivitySeverity::Error];

type Texts<'a> = Vec<Cow<'a, str>>;

/// Values, each with a severity.
type Pairs<'a> = Vec<(Cow<'a, str>, &'static str)>;

/// The searches that together find all matching rows, in one index.
#[derive(Debug)]
pub(crate) enum Searches<'a> {
    /// In the index on `seq` alone.
    All,
    Entities(Vec<(&'a str, Option<Cow<'a, str>>)>),
    Actors(Texts<'a>),
    /// The names that the filters list, and those that begin as they list.
    Actions(Texts<'a>),
    Kinds(Pairs<'a>),
    /// Severities other than info.
    Alarms(Vec<&'static str>),
    ActorAlarms(Pairs<'a>),
    ActionAlarms(Pairs<'a>),
    EntityType(&'a str),
    /// The kinds that pass the filters, where no other index serves them all.
    Combined(Dimensions, Vec<Kind>),
    /// In whichever index the planner chooses. In a distributed log, each further search takes a round to all servers, and
    /// one statement for all of them does not: each server has a planner and statistics of its own.
    Planned,
}

impl<'a> Searches<'a> {
    /// The most selective filter is served: an entity has few entries, an actor fewer than an action, and so on.
    pub(crate) async fn find(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Self> {
        match Self::without_lookup(filters) {
            Some(searches) if searches.len() == 1 && !has_long_list(filters) => Ok(searches),
            _ if is_distributed(conn).await? => Ok(Self::Planned),
            Some(searches) => Ok(searches),
            None => Self::with_lookup(conn, filters).await,
        }
    }

    /// The searches, if these filters leave nothing open.
    pub(crate) fn without_lookup(filters: &'a NormalizedFilters) -> Option<Self> {
        if let Some(id) = &filters.entity_id {
            let name = filters.entity_type.as_deref()?;
            return Some(Self::Entities(vec![(id, Some(Cow::Borrowed(name)))]));
        }
        if Dimensions::for_filters(filters).is_some() || !filters.actions.prefixes.is_empty() {
            return None;
        }
        let may_be_few = !filters.excluded_actions.is_empty()
            || !filters.excluded_categories.is_empty()
            || !filters.excluded_actors.is_empty()
            || !filters.excluded_entity_types.is_empty()
            || (1..SEVERITIES.len()).contains(&filters.severities.len());
        Self::of_values(filters).or_else(|| (!may_be_few).then_some(Self::All))
    }

    async fn with_lookup(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Self> {
        if let Some(id) = &filters.entity_id {
            let mut types = types_of(conn, id).await?;
            if types.len() <= MAX_VALUES {
                let excluded = &filters.excluded_entity_types;
                types.retain(|name| {
                    name.as_deref().is_none_or(|name| excluded.binary_search_by(|one| one.as_str().cmp(name)).is_err())
                });
                return Ok(Self::Entities(types.into_iter().map(|name| (id.as_str(), name)).collect()));
            }
        }
        if let Some(dimensions) = Dimensions::for_filters(filters)
            && let Some(kinds) = kinds_of(conn, filters, dimensions).await?
            && kinds.len() <= MAX_SEARCHES
        {
            return Ok(Self::Combined(dimensions, kinds));
        }
        if !filters.actions.prefixes.is_empty() && !(1..=MAX_SEARCHES).contains(&filters.actors.len()) {
            let mut actions = borrowed(&filters.actions.names);
            actions.extend(actions_that_begin(conn, &filters.actions.prefixes).await?.into_iter().map(Cow::Owned));
            if actions.len() <= MAX_SEARCHES {
                return Ok(Self::actions(actions, filters));
            }
        }
        match Self::of_values(filters) {
            Some(searches) => Ok(searches),
            None => Self::of_what_is_left(conn, filters).await,
        }
    }

    /// The searches for the values that the filters list.
    fn of_values(filters: &'a NormalizedFilters) -> Option<Self> {
        if (1..=MAX_SEARCHES).contains(&filters.actors.len()) {
            return Some(Self::actors(borrowed(&filters.actors), filters));
        }
        let actions = &filters.actions;
        if actions.prefixes.is_empty() && (1..=MAX_SEARCHES).contains(&actions.names.len()) {
            return Some(Self::actions(borrowed(&actions.names), filters));
        }
        if let Some(name) = &filters.entity_type {
            return Some(Self::EntityType(name));
        }
        let severities = if filters.severities.is_empty() { &SEVERITIES[..] } else { &filters.severities };
        if (1..=MAX_SEARCHES).contains(&(filters.categories.len() * severities.len())) {
            return Some(Self::Kinds(pairs(borrowed(&filters.categories), severities)));
        }
        filters.leave_out_info().then(|| Self::Alarms(filters.severity_texts()))
    }

    /// Where filters exclude nearly all rows, a walk would be long. It is not needed where few values are left.
    async fn of_what_is_left(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Self> {
        let excluded = &filters.excluded_actions;
        if !excluded.is_empty() && filters.actions.is_empty() {
            let most = MAX_VALUES + excluded.names.len();
            if let Some(mut actions) = values_of(conn, "action", most).await? {
                actions.retain(|action| !excluded.contains(action));
                if actions.len() <= MAX_VALUES {
                    return Ok(Self::Actions(actions.into_iter().map(Cow::Owned).collect()));
                }
            }
        }
        let excluded = &filters.excluded_actors;
        if !excluded.is_empty()
            && filters.actors.is_empty()
            && let Some(mut actors) = values_of(conn, "actor", MAX_VALUES + excluded.len()).await?
        {
            actors.retain(|actor| excluded.binary_search(actor).is_err());
            if actors.len() <= MAX_VALUES {
                return Ok(Self::Actors(actors.into_iter().map(Cow::Owned).collect()));
            }
        }
        if !filters.excluded_entity_types.is_empty()
            && let Some(kinds) = kinds_of(conn, filters, Dimensions::OfAll).await?
            && kinds.len() <= MAX_VALUES
        {
            return Ok(Self::Combined(Dimensions::OfAll, kinds));
        }
        let excluded = &filters.excluded_categories;
        let severities = if filters.severities.is_empty() { &SEVERITIES[..] } else { &filters.severities };
        let most = MAX_VALUES / severities.len();
        if filters.categories.is_empty()
            && (!excluded.is_empty() || severities.len() < SEVERITIES.len())
            && let Some(mut categories) = values_of(conn, "category", most + excluded.len()).await?
        {
            categories.retain(|category| excluded.binary_search(category).is_err());
            if categories.len() <= most {
                let categories = categories.into_iter().map(Cow::Owned).collect();
                return Ok(Self::Kinds(pairs(categories, severities)));
            }
        }
        Ok(Self::All)
    }

    fn actors(actors: Texts<'a>, filters: &NormalizedFilters) -> Self {
        if filters.leave_out_info() {
            Self::ActorAlarms(pairs(actors, &filters.severities))
        } else {
            Self::Actors(actors)
        }
    }

    fn actions(actions: Texts<'a>, filters: &NormalizedFilters) -> Self {
        if filters.leave_out_info() {
            Self::ActionAlarms(pairs(actions, &filters.severities))
        } else {
            Self::Actions(actions)
        }
    }

    /// Whether the searches have the values of a filter.
    pub(crate) fn serve(&self, filter: Filter) -> bool {
        match self {
            Self::All | Self::Planned => false,
            Self::Entities(_) => matches!(filter, Filter::EntityId | Filter::EntityType),
            Self::Actors(_) => filter == Filter::Actors,
            Self::Actions(_) => filter == Filter::Actions,
            Self::Kinds(_) => matches!(filter, Filter::Categories | Filter::Severities),
            Self::Alarms(_) => filter == Filter::Severities,
            Self::ActorAlarms(_) => matches!(filter, Filter::Actors | Filter::Severities),
            Self::ActionAlarms(_) => matches!(filter, Filter::Actions | Filter::Severities),
            Self::EntityType(_) => filter == Filter::EntityType,
            Self::Combined(dimensions, _) => match filter {
                Filter::Categories | Filter::Severities | Filter::Actions | Filter::Excluded | Filter::EntityType => {
                    true
                }
                Filter::Actors => *dimensions == Dimensions::OfActors,
                Filter::EntityId => false,
            },
        }
    }

    /// Whether no row can match.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        match self {
            Self::Entities(entities) => entities.len(),
            Self::Actors(values) | Self::Actions(values) => values.len(),
            Self::Kinds(pairs) | Self::ActorAlarms(pairs) | Self::ActionAlarms(pairs) => pairs.len(),
            Self::Alarms(severities) => severities.len(),
            Self::Combined(_, kinds) => kinds.len(),
            Self::All | Self::EntityType(_) | Self::Planned => 1,
        }
    }

    /// The expression in whose order the index has the rows, and by how much it is greater than `seq`.
    pub(crate) fn key(&self) -> (&'static str, i64) {
        match self {
            Self::All | Self::Planned => ("activity_log.seq", 0),
            Self::Actors(_) | Self::Kinds(_) | Self::EntityType(_) => ("(seq + 0)", 0),
            Self::Entities(_) => ("(seq + 1)", 1),
            Self::Alarms(_) => ("(seq + 2)", 2),
            Self::ActorAlarms(_) => ("(seq + 3)", 3),
            Self::ActionAlarms(_) => ("(seq + 4)", 4),
            Self::Actions(_) => ("(seq + 5)", 5),
            Self::Combined(dimensions, _) => dimensions.key(),
        }
    }

    /// The column by which the index has the rows before the key, if a search does not give it a value.
    pub(crate) fn column_before_key(&self) -> Option<&'static str> {
        // A type that IS NULL is no value.
        matches!(self, Self::Entities(_)).then_some("entity_type")
    }

    /// The condition of each search.
    pub(crate) fn conditions(&self) -> Vec<Sql<'a>> {
        let equals = |column: &'static str, value: Bind<'a>| Sql::new(column).text(" = ").bind(value);
        let of_pair = |column: &'static str, (value, severity): &(Cow<'a, str>, &'static str)| {
            equals(column, value.clone().into()).text(" AND ").sql(equals("severity", (*severity).into()))
        };
        match self {
            Self::All | Self::Planned => vec![Sql::new("TRUE")],
            Self::Entities(entities) => entities
                .iter()
                .map(|(id, name)| {
                    let id = equals("entity_id", (*id).into()).text(" AND ");
                    match name {
                        Some(name) => id.sql(equals("entity_type", name.clone().into())),
                        None => id.text("entity_type IS NULL"),
                    }
                })
                .collect(),
            Self::Actors(actors) => actors.iter().map(|actor| equals("actor", actor.clone().into())).collect(),
            Self::Actions(actions) => actions.iter().map(|action| equals("action", action.clone().into())).collect(),
            Self::Kinds(pairs) => pairs.iter().map(|pair| of_pair("category", pair)).collect(),
            Self::Alarms(severities) => {
                severities.iter().map(|severity| equals("severity", (*severity).into()).text(NOT_INFO)).collect()
            }
            Self::ActorAlarms(pairs) => pairs.iter().map(|pair| of_pair("actor", pair).text(NOT_INFO)).collect(),
            Self::ActionAlarms(pairs) => pairs.iter().map(|pair| of_pair("action", pair).text(NOT_INFO)).collect(),
            Self::EntityType(name) => vec![equals("entity_type", (*name).into())],
            Self::Combined(dimensions, kinds) => kinds.iter().map(|kind| dimensions.condition(kind)).collect(),
        }
    }

    /// The same searches as a table with a row each, and their condition, for more searches than a union should have.
    pub(crate) fn listed(&self) -> Option<(Sql<'a>, Sql<'a>)> {
        let (column, values, severities, end) = match self {
            Self::Actors(actors) => ("actor", actors.clone(), None, ""),
            Self::Actions(actions) => ("action", actions.clone(), None, ""),
            Self::Kinds(pairs) => listed_pairs("category", pairs, ""),
            Self::ActorAlarms(pairs) => listed_pairs("actor", pairs, NOT_INFO),
            Self::ActionAlarms(pairs) => listed_pairs("action", pairs, NOT_INFO),
            Self::Combined(dimensions, kinds) => return Some(dimensions.listed(kinds)),
            Self::All | Self::Entities(_) | Self::Alarms(_) | Self::EntityType(_) | Self::Planned => return None,
        };
        let table = Sql::new("unnest(").bind(Bind::Texts(values));
        let condition = Sql::new(format!("activity_log.{column} = listed.{column}"));
        Some(match severities {
            None => (table.text(format!(") AS listed ({column})")), condition.text(end)),
            Some(severities) => (
                table.text(", ").bind(Bind::Texts(severities)).text(format!(") AS listed ({column}, severity)")),
                condition.text(" AND activity_log.severity = listed.severity").text(end),
            ),
        })
    }
}

/// Whether a list is too long to be searched for. Then other filters are, and a distributed log had better plan.
fn has_long_list(filters: &NormalizedFilters) -> bool {
    let kinds = filters.categories.len().saturating_mul(SEVERITIES.len());
    [kinds, filters.actors.len(), filters.actions.names.len()].into_iter().any(|length| length > MAX_SEARCHES)
}

/// As the indexes without info have it.
const NOT_INFO: &str = " AND activity_log.severity <> 'info'";

type Listed<'a> = (&'static str, Texts<'a>, Option<Texts<'a>>, &'static str);

fn listed_pairs<'a>(column: &'static str, pairs: &Pairs<'a>, end: &'static str) -> Listed<'a> {
    let (values, severities) = pairs.iter().map(|(value, severity)| (value.clone(), Cow::Borrowed(*severity))).unzip();
    (column, values, Some(severities), end)
}

/// Each value with each severity.
fn pairs<'a>(values: Texts<'a>, severities: &[ActivitySeverity]) -> Pairs<'a> {
    let with_severities =
        |value: Cow<'a, str>| severities.iter().map(move |severity| (value.clone(), severity.as_str()));
    values.into_iter().flat_map(with_severities).collect()
}

fn borrowed(texts: &[String]) -> Texts<'_> {
    texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
}
