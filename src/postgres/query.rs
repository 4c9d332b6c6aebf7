//! Filters as SQL.
//!
//! Each page is found by one index, in its order, whatever the statistics say, which may be stale or missing:
//!
//! - The filter that the index serves is written as the index has it, and so is the order.
//! - All other filters are inside a `CASE`, which no index serves, and which the planner takes for true of half of the rows.
//! - `generate_series(seq, seq)` returns `seq`, and the planner takes it for a thousand rows. The page is then a small part of
//!   what it expects to find, and it walks the index as far as the page. Otherwise it would fetch and sort all rows of an
//!   actor whenever it expects them to be few.

use diesel::prelude::QueryResult;
use diesel::sql_types::{BigInt, Nullable};

use crate::model::normalized_filters::{Actions, NormalizedFilters};
use crate::model::pattern::containing;
use crate::postgres::distributed::is_distributed;
use crate::postgres::execute::Execute;
use crate::postgres::search::term::IndexedTerm;
use crate::postgres::searches::{Filter, Searches};
use crate::postgres::statement::{Bind, Sql, Statement};
use crate::store::range::{Order, SeqRange};

/// All columns, in the order of the schema.
pub(crate) const ALL_COLUMNS: &str =
    "seq, id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata";

/// The most searches that are written one after the other. More are a list that is bound.
const MAX_UNITED: usize = 32;

/// Filters, and how the matching rows are found.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    filters: &'a NormalizedFilters,
    searches: Searches<'a>,
    term: Option<IndexedTerm>,
}

impl<'a> Selection<'a> {
    /// Looks up what the filters leave open, such as which types an entity id has, which actions begin as listed, and whether
    /// there is an index for the term.
    pub(crate) async fn find(conn: &mut impl Execute, filters: &'a NormalizedFilters) -> QueryResult<Self> {
        let searches = if !Searches::are_one(filters) && is_distributed(conn).await? {
            Searches::Planned
        } else {
            Searches::find(conn, filters).await?
        };
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
        self.searches.is_empty()
    }

    /// The first `rows` matching rows of a range, in order.
    pub(crate) fn rows<ST>(&self, range: SeqRange, order: Order, rows: i64) -> Statement<'a, ST> {
        self.ordered(ALL_COLUMNS, range, order, rows).returning()
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
        self.united(columns, range, order, rows, &rest(self.filters, &self.searches))
    }

    /// The first rows of all searches that pass the rest of the filters.
    fn united(&self, columns: &'static str, range: SeqRange, order: Order, rows: i64, rest: &Sql<'a>) -> Sql<'a> {
        let direction = direction(order);
        let search = |condition| self.search(columns, condition, range, direction, rows, rest);
        let mut searches = self.searches.conditions(self.filters);
        if searches.len() == 1
            && let Some(condition) = searches.pop()
        {
            return search(condition);
        }
        let mut union = Sql::new(format!("SELECT {columns} FROM ("));
        match self.searches.listed() {
            Some((table, condition)) if searches.len() > MAX_UNITED => {
                union = union.text("SELECT found.* FROM ").sql(table).text(" CROSS JOIN LATERAL (");
                union = union.sql(search(condition)).text(") AS found");
            }
            _ => {
                for (position, condition) in searches.into_iter().enumerate() {
                    union = union.text(if position == 0 { "(" } else { " UNION ALL (" });
                    union = union.sql(search(condition)).text(")");
                }
            }
        }
        union.text(format!(") AS found ORDER BY seq {direction} LIMIT {rows}"))
    }

    /// The rows that one search finds.
    fn search(
        &self,
        columns: &str,
        condition: Sql<'a>,
        range: SeqRange,
        direction: &str,
        rows: i64,
        rest: &Sql<'a>,
    ) -> Sql<'a> {
        let (key, offset) = self.searches.key();
        let others = columns.strip_prefix("seq").unwrap_or(columns);
        let (seq, rest) = match self.searches {
            Searches::Planned => ("seq", rest.clone()),
            _ => ("generate_series(seq, seq) AS seq", without_index(rest.clone())),
        };
        let mut sql = Sql::new(format!("SELECT {seq}{others} FROM activity_log WHERE ")).sql(condition);
        sql = sql.within(range, key, offset).sql(rest).text(" ORDER BY ");
        if let Some(column) = self.searches.column_before_key() {
            sql = sql.text(format!("{column} {direction}, "));
        }
        // A generic plan takes a bound LIMIT for a tenth of the table.
        sql.text(format!("{key} {direction} LIMIT {rows}"))
    }
}

/// What [`Selection::reach`] returns.
pub(crate) type Reach = (BigInt, Nullable<BigInt>, Nullable<BigInt>);

pub(crate) fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

/// All filters, after ` AND ` and as an expression that no index has.
pub(crate) fn rest_of_all(filters: &NormalizedFilters) -> Sql<'_> {
    without_index(rest(filters, &Searches::All))
}

/// Filters, each after ` AND `, as one expression that no index has.
fn without_index(filters: Sql<'_>) -> Sql<'_> {
    if filters.is_empty() {
        return filters;
    }
    Sql::new(" AND CASE WHEN TRUE").sql(filters).text(" THEN TRUE END")
}

/// The condition for all matching rows of a range. The planner chooses how to find them: all of them are read.
pub(crate) fn all_rows<'a>(filters: &'a NormalizedFilters, term: Option<&IndexedTerm>, range: SeqRange) -> Sql<'a> {
    let mut sql = term.map_or_else(|| Sql::new("TRUE"), IndexedTerm::planned_condition);
    sql = sql.within(range, "seq", 0);
    sql.sql(rest(filters, &Searches::All))
}

/// The filters that the searches do not serve, each after ` AND `.
fn rest<'a>(filters: &'a NormalizedFilters, served: &Searches<'_>) -> Sql<'a> {
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
        sql = std::mem::take(&mut sql).text(format!(" AND {open}{column} = ANY(")).bind(values).text(close);
    };
    if !categories.is_empty() && !served.serve(Filter::Categories) {
        any_of("category", categories.as_slice().into(), false);
    }
    if !excluded_categories.is_empty() {
        any_of("category", excluded_categories.as_slice().into(), true);
    }
    if !severities.is_empty() && !served.serve(Filter::Severities) {
        any_of("severity", filters.severity_texts().into(), false);
    }
    if !excluded_severities.is_empty() {
        any_of("severity", filters.excluded_severity_texts().into(), true);
    }
    if !actors.is_empty() && !served.serve(Filter::Actors) {
        any_of("actor", actors.as_slice().into(), false);
    }
    if !excluded_actors.is_empty() {
        any_of("actor", excluded_actors.as_slice().into(), true);
    }
    if !actions.is_empty() && !served.serve(Filter::Actions) {
        sql = sql.text(" AND ").sql(any_action(actions));
    }
    if !excluded_actions.is_empty() {
        sql = sql.text(" AND ").sql(any_action(excluded_actions)).text(" IS NOT TRUE");
    }
    if let Some(entity_type) = entity_type
        && !served.serve(Filter::EntityType)
    {
        sql = sql.text(" AND entity_type = ").bind(entity_type.as_str());
    }
    if let Some(entity_id) = entity_id
        && !served.serve(Filter::EntityId)
    {
        sql = sql.text(" AND entity_id = ").bind(entity_id.as_str());
    }
    if let Some(since) = since {
        sql = sql.text(" AND ts >= ").bind(*since);
    }
    if let Some(until) = until {
        sql = sql.text(" AND ts <= ").bind(*until);
    }
    if let Some(term) = message_contains {
        sql = sql.text(" AND message ILIKE ").bind(containing(term));
    }
    sql
}

/// The rows with any of these actions.
fn any_action<'a>(actions: &'a Actions) -> Sql<'a> {
    let mut tests = Vec::new();
    if !actions.names.is_empty() {
        tests.push(Sql::new("action = ANY(").bind(actions.names.as_slice()).text(")"));
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
