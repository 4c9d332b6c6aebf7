//! Filters as SQL.
//!
//! Each page is found by one index, in the order of `seq`. The filter that the index serves is written as the index has it,
//! and so is the order. Every other filter is written as an expression that no index has, because the planner would
//! otherwise choose by statistics, which may be wrong.

use std::borrow::Cow;

use crate::model::normalized_filters::{Actions, NormalizedFilters};
use crate::model::severity::ActivitySeverity;
use crate::postgres::execute::Execute;
use crate::postgres::search::term::{IndexedTerm, contains};
use crate::postgres::statement::{Bind, Sql, Statement};
use crate::store::range::{Order, SeqRange};
use diesel::prelude::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};

/// All columns, in the order of the schema.
pub(crate) const ALL_COLUMNS: &str =
    "seq, id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata";

/// The most searches of an index that one statement unites. A longer list is a test on the rows of a walk by `seq`.
const MAX_SEARCHES: usize = 32;

/// Makes a column an expression that no index has.
const NO_INDEX: &str = " || ''";

const SEVERITIES: [ActivitySeverity; 3] = [ActivitySeverity::Info, ActivitySeverity::Warning, ActivitySeverity::Error];

/// Filters, and how the matching rows are found.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    filters: &'a NormalizedFilters,
    searches: Searches<'a>,
    term: Option<IndexedTerm>,
}

/// The searches that together find all matching rows, in one index.
#[derive(Debug)]
enum Searches<'a> {
    /// In the index on `seq` alone.
    All,
    Entities(Vec<(&'a str, Option<Cow<'a, str>>)>),
    Actors(&'a [String]),
    /// The names that the filters list, and those that begin as they list.
    Actions(Vec<Cow<'a, str>>),
    Kinds(Vec<(&'a str, &'static str)>),
    /// Severities other than info.
    Alarms(Vec<&'static str>),
    EntityType(&'a str),
}

impl<'a> Selection<'a> {
    /// Looks up what the filters leave open: which types an entity id has, which actions begin as listed, and whether there
    /// is an index for the term.
    pub(crate) async fn find(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Self> {
        let searches = Searches::find(conn, filters).await?;
        Ok(Self { filters, searches, term: IndexedTerm::find(conn, filters).await? })
    }

    pub(crate) fn filters(&self) -> &'a NormalizedFilters {
        self.filters
    }

    /// The term, if the search index can find it.
    pub(crate) fn term(&self) -> Option<&IndexedTerm> {
        self.term.as_ref()
    }

    /// Whether no row can match.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.searches {
            Searches::Entities(entities) => entities.is_empty(),
            Searches::Actions(actions) => actions.is_empty(),
            _ => false,
        }
    }

    /// The first `rows` matching rows of a range, in order.
    pub(crate) fn rows<ST>(
        &self,
        columns: &'static str,
        range: SeqRange,
        order: Order,
        rows: i64,
    ) -> Statement<'a, ST> {
        self.ordered(columns, range, order, rows).returning()
    }

    /// Counts the matching rows of a range, up to a limit.
    pub(crate) fn count_up_to<ST>(&self, range: SeqRange, limit: i64) -> Statement<'a, ST> {
        let rows = self.ordered("seq", range, Order::Descending, limit);
        Sql::new("SELECT count(*) FROM (").sql(rows).text(") AS counted").returning()
    }

    /// How many rows a walk of a range comes by, up to `rows`, whether or not they pass the filters that the index does not
    /// serve, and the lowest and the highest `seq` of these.
    pub(crate) fn reach(&self, range: SeqRange, order: Order, rows: i64) -> Statement<'a, Reach> {
        let walk = self.united("seq", range, order, rows, &Sql::default());
        Sql::new("SELECT count(*), min(seq), max(seq) FROM (").sql(walk).text(") AS walked").returning()
    }

    /// Those of the listed rows that match, in order.
    pub(crate) fn listed<ST>(&self, columns: &'static str, seqs: &'a [i64], order: Order) -> Statement<'a, ST> {
        let rows = Sql::new(format!("SELECT {columns} FROM activity_log WHERE seq = ANY(")).bind(seqs).text(")");
        rows.sql(rest_of_all(self.filters)).text(format!(" ORDER BY seq {}", direction(order))).returning()
    }

    fn ordered(&self, columns: &'static str, range: SeqRange, order: Order, rows: i64) -> Sql<'a> {
        self.united(columns, range, order, rows, &rest(self.filters, &self.searches, NO_INDEX))
    }

    /// The first rows of all searches that pass the rest of the filters.
    fn united(&self, columns: &'static str, range: SeqRange, order: Order, rows: i64, rest: &Sql<'a>) -> Sql<'a> {
        let direction = direction(order);
        let mut searches = self.searches.conditions();
        let search = |condition: Sql<'a>, key: &str, offset: i64| {
            let mut sql = Sql::new(format!("SELECT {columns} FROM activity_log WHERE ")).sql(condition);
            if let Some(after) = range.after {
                sql = sql.text(format!(" AND {key} > ")).bind(after.saturating_add(offset));
            }
            if let Some(before) = range.before {
                sql = sql.text(format!(" AND {key} < ")).bind(before.saturating_add(offset));
            }
            // A generic plan takes a bound LIMIT for a tenth of the table.
            sql.sql(rest.clone()).text(format!(" ORDER BY {key} {direction} LIMIT {rows}"))
        };
        let (key, offset) = self.searches.key();
        if searches.len() == 1
            && let Some(condition) = searches.pop()
        {
            return search(condition, key, offset);
        }
        let mut union = Sql::new(format!("SELECT {columns} FROM ("));
        for (position, condition) in searches.into_iter().enumerate() {
            union = union.text(if position == 0 { "(" } else { " UNION ALL (" });
            union = union.sql(search(condition, key, offset)).text(")");
        }
        union.text(format!(") AS found ORDER BY seq {direction} LIMIT {rows}"))
    }
}

/// What [`Selection::reach`] returns.
pub(crate) type Reach = (BigInt, Nullable<BigInt>, Nullable<BigInt>);

fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

/// All filters, each after ` AND ` and as an expression that no index has.
pub(crate) fn rest_of_all(filters: &NormalizedFilters) -> Sql<'_> {
    rest(filters, &Searches::All, NO_INDEX)
}

/// The condition for all matching rows of a range. The planner chooses how to find them: all of them are read.
pub(crate) fn all_rows<'a>(filters: &'a NormalizedFilters, term: Option<&IndexedTerm>, range: SeqRange) -> Sql<'a> {
    let mut sql = term.map_or_else(|| Sql::new("TRUE"), IndexedTerm::planned_condition);
    if let Some(after) = range.after {
        sql = sql.text(" AND seq > ").bind(after);
    }
    if let Some(before) = range.before {
        sql = sql.text(" AND seq < ").bind(before);
    }
    sql.sql(rest(filters, &Searches::All, ""))
}

/// The filters that the searches do not serve, each after ` AND `. After its column, each has a suffix that keeps it from
/// using an index, if it must not.
fn rest<'a>(filters: &'a NormalizedFilters, served: &Searches<'_>, suffix: &str) -> Sql<'a> {
    let NormalizedFilters {
        categories,
        excluded_categories,
        severities,
        actions,
        excluded_actions,
        actors,
        excluded_actors,
        excluded_severities,
        entity_type,
        entity_id,
        since,
        until,
        message_contains,
        match_nothing: _,
    } = filters;
    let mut sql = Sql::default();
    let mut any_of = |column: &str, values: Bind<'a>, is_excluded: bool| {
        let (open, close) = if is_excluded { ("(", ")) IS NOT TRUE") } else { ("", ")") };
        sql = std::mem::take(&mut sql).text(format!(" AND {open}{column}{suffix} = ANY(")).bind(values).text(close);
    };
    if !categories.is_empty() && !matches!(served, Searches::Kinds(_)) {
        any_of("category", categories.as_slice().into(), false);
    }
    if !excluded_categories.is_empty() {
        any_of("category", excluded_categories.as_slice().into(), true);
    }
    if !severities.is_empty() && !matches!(served, Searches::Kinds(_) | Searches::Alarms(_)) {
        any_of("severity", filters.severity_texts().into(), false);
    }
    if !excluded_severities.is_empty() {
        any_of("severity", filters.excluded_severity_texts().into(), true);
    }
    if !actors.is_empty() && !matches!(served, Searches::Actors(_)) {
        any_of("actor", actors.as_slice().into(), false);
    }
    if !excluded_actors.is_empty() {
        any_of("actor", excluded_actors.as_slice().into(), true);
    }
    if !actions.is_empty() && !matches!(served, Searches::Actions(_)) {
        sql = sql.text(" AND ").sql(any_action(actions, suffix));
    }
    if !excluded_actions.is_empty() {
        sql = sql.text(" AND ").sql(any_action(excluded_actions, suffix)).text(" IS NOT TRUE");
    }
    if let Some(entity_type) = entity_type
        && !matches!(served, Searches::Entities(_) | Searches::EntityType(_))
    {
        sql = sql.text(format!(" AND entity_type{suffix} = ")).bind(entity_type.as_str());
    }
    if let Some(entity_id) = entity_id
        && !matches!(served, Searches::Entities(_))
    {
        sql = sql.text(format!(" AND entity_id{suffix} = ")).bind(entity_id.as_str());
    }
    if let Some(since) = since {
        sql = sql.text(" AND ts >= ").bind(*since);
    }
    if let Some(until) = until {
        sql = sql.text(" AND ts <= ").bind(*until);
    }
    if let Some(term) = message_contains {
        sql = sql.text(" AND message ILIKE ").bind(contains(term));
    }
    sql
}

impl<'a> Searches<'a> {
    /// The most selective filter is served: an entity has few entries, an actor fewer than an action, and so on.
    async fn find(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Self> {
        if let Some(id) = &filters.entity_id {
            let types = match &filters.entity_type {
                Some(name) => vec![Some(Cow::Borrowed(name.as_str()))],
                None => types_of(conn, id).await?,
            };
            if types.len() <= MAX_SEARCHES {
                return Ok(Self::Entities(types.into_iter().map(|name| (id.as_str(), name)).collect()));
            }
        }
        if (1..=MAX_SEARCHES).contains(&filters.actors.len()) {
            return Ok(Self::Actors(&filters.actors));
        }
        if !filters.actions.is_empty() {
            let mut actions = filters.actions.names.iter().map(|name| Cow::Borrowed(name.as_str())).collect::<Vec<_>>();
            actions.extend(actions_that_begin(conn, &filters.actions.prefixes).await?.into_iter().map(Cow::Owned));
            if actions.len() <= MAX_SEARCHES {
                return Ok(Self::Actions(actions));
            }
        }
        if let Some(name) = &filters.entity_type {
            return Ok(Self::EntityType(name));
        }
        let severities = if filters.severities.is_empty() { &SEVERITIES[..] } else { &filters.severities };
        if (1..=MAX_SEARCHES).contains(&(filters.categories.len() * severities.len())) {
            let pairs = filters
                .categories
                .iter()
                .flat_map(|category| severities.iter().map(|severity| (category.as_str(), severity.as_str())));
            return Ok(Self::Kinds(pairs.collect()));
        }
        if filters.leave_out_info() {
            return Ok(Self::Alarms(filters.severity_texts()));
        }
        Ok(Self::All)
    }

    /// The expression in whose order the index has the rows, and by how much it is greater than `seq`.
    fn key(&self) -> (&'static str, i64) {
        match self {
            Self::All => ("seq", 0),
            Self::Entities(_) => ("(seq + 1)", 1),
            _ => ("(seq + 0)", 0),
        }
    }

    fn conditions(&self) -> Vec<Sql<'a>> {
        let equals = |column: &'static str, value: Bind<'a>| Sql::new(column).text(" = ").bind(value);
        match self {
            Self::All => vec![Sql::new("TRUE")],
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
            Self::Actors(actors) => actors.iter().map(|actor| equals("actor", actor.as_str().into())).collect(),
            Self::Actions(actions) => actions.iter().map(|action| equals("action", action.clone().into())).collect(),
            Self::Kinds(pairs) => pairs
                .iter()
                .map(|(category, severity)| {
                    equals("category", (*category).into()).text(" AND ").sql(equals("severity", (*severity).into()))
                })
                .collect(),
            Self::Alarms(severities) => severities
                .iter()
                .map(|severity| equals("severity", (*severity).into()).text(" AND severity <> 'info'"))
                .collect(),
            Self::EntityType(name) => vec![equals("entity_type", (*name).into())],
        }
    }
}

/// The rows with any of these actions.
fn any_action<'a>(actions: &'a Actions, suffix: &str) -> Sql<'a> {
    let mut tests = Vec::new();
    if !actions.names.is_empty() {
        tests.push(Sql::new(format!("action{suffix} = ANY(")).bind(actions.names.as_slice()).text(")"));
    }
    if !actions.prefixes.is_empty() {
        let prefixes = Sql::new("EXISTS (SELECT 1 FROM unnest(").bind(actions.prefixes.as_slice());
        tests.push(prefixes.text(") AS prefix WHERE starts_with(action, prefix))"));
    }
    let mut sql = Sql::new("(");
    for (position, test) in tests.into_iter().enumerate() {
        sql = sql.text(if position == 0 { "" } else { " OR " }).sql(test);
    }
    sql.text(")")
}

/// The types that rows with this entity id have, found by steps in the index.
async fn types_of<'a>(conn: &mut impl Execute, id: &str) -> QueryResult<Vec<Option<Cow<'a, str>>>> {
    let types = Sql::new(
        "WITH RECURSIVE step AS ( \
            (SELECT entity_type, 1 AS steps FROM activity_log WHERE entity_id = ",
    )
    .bind(id)
    .text(
        " ORDER BY entity_type LIMIT 1) \
            UNION ALL \
            SELECT (SELECT entity_type FROM activity_log WHERE entity_id = ",
    )
    .bind(id)
    .text(
        " AND entity_type > step.entity_type ORDER BY entity_type LIMIT 1), steps + 1 \
            FROM step WHERE entity_type IS NOT NULL AND steps <= 33 \
        ) \
        SELECT entity_type FROM step WHERE entity_type IS NOT NULL \
        UNION ALL SELECT NULL WHERE EXISTS (SELECT 1 FROM activity_log WHERE entity_type IS NULL AND entity_id = ",
    )
    .bind(id)
    .text(")");
    let types = conn.load::<Option<String>, _>(types.returning::<Nullable<Text>>()).await?;
    Ok(types.into_iter().map(|name| name.map(Cow::Owned)).collect())
}

/// The actions that begin with any of these prefixes, each of which ends in a dot, found by steps in the index.
async fn actions_that_begin(conn: &mut impl Execute, prefixes: &[String]) -> QueryResult<Vec<String>> {
    if prefixes.is_empty() {
        return Ok(Vec::new());
    }
    let ends = prefixes.iter().map(|prefix| Cow::Owned(end_of(prefix))).collect();
    let actions = Sql::new(
        "WITH RECURSIVE step AS ( \
            SELECT (SELECT action FROM activity_log WHERE action >= prefix AND action < prefix_end ORDER BY action LIMIT 1), \
                prefix_end, 1 AS steps FROM unnest(",
    )
    .bind(prefixes)
    .text(", ")
    .bind(Bind::Texts(ends))
    .text(
        ") AS listed (prefix, prefix_end) \
            UNION ALL \
            SELECT (SELECT action FROM activity_log WHERE action > step.action AND action < prefix_end \
                ORDER BY action LIMIT 1), prefix_end, steps + 1 \
            FROM step WHERE action IS NOT NULL AND steps <= 33 \
        ) \
        SELECT action FROM step WHERE action IS NOT NULL",
    );
    conn.load::<String, _>(actions.returning::<Text>()).await
}

/// The least text that is greater than all texts that begin with `prefix`, which ends in a dot.
fn end_of(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    end.pop();
    // The character after the dot.
    end.push('/');
    end
}
