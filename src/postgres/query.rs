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
use diesel::sql_types::{BigInt, Bool, Nullable};

use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::conditions::{rest, rest_of_all, without_index};
use crate::postgres::execute::Execute;
use crate::postgres::schema::activity_log;
use crate::postgres::search::term::IndexedTerm;
use crate::postgres::searches::Searches;
use crate::postgres::statement::{Sql, Statement};
use crate::store::range::{Order, SeqRange};

/// All columns, in the order of the schema.
pub(crate) const ALL_COLUMNS: &str =
    "seq, id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata";

/// `seq`, in a form for which the planner expects a thousand rows instead of one.
pub(crate) const SEQ_SERIES: &str = "generate_series(seq, seq) AS seq";

/// What follows `seq` in columns that begin with it.
pub(crate) fn after_seq(columns: &str) -> &str {
    columns.strip_prefix("seq").unwrap_or(columns)
}

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

    /// Whether the matching rows of a range are found by one walk, without looking for its parts or for a term first.
    pub(crate) fn is_one_walk(&self) -> bool {
        self.term.is_none() && self.filters.since.is_none() && self.filters.until.is_none()
    }

    /// Whether no row can match.
    pub(crate) fn is_empty(&self) -> bool {
        self.searches.is_empty()
    }

    /// The first `rows` matching rows of a range, in order.
    pub(crate) fn rows<ST>(&self, range: SeqRange, order: Order, rows: i64) -> Statement<'a, ST> {
        self.ordered(ALL_COLUMNS, range, order, rows).returning()
    }

    /// Like [`rows`](Self::rows), with a column that says whether any row of `beyond` matches, looked for in the opposite
    /// order.
    pub(crate) fn rows_beside(
        &self,
        beyond: SeqRange,
        range: SeqRange,
        order: Order,
        rows: i64,
    ) -> Statement<'a, (activity_log::SqlType, Nullable<Bool>)> {
        let first_beyond = self.ordered("seq", beyond, order.opposite(), 1);
        let page = self.ordered(ALL_COLUMNS, range, order, rows);
        Sql::new(format!("SELECT {ALL_COLUMNS}, (SELECT TRUE FROM ("))
            .sql(first_beyond)
            .text(") AS beyond) FROM (")
            .sql(page)
            .text(format!(") AS page ORDER BY seq {}", direction(order)))
            .returning()
    }

    /// Counts the matching rows of a range, up to a limit.
    pub(crate) fn count_up_to<ST>(&self, range: SeqRange, limit: i64) -> Statement<'a, ST> {
        let rest = rest(self.filters, |filter| self.searches.serve(filter));
        let rows = self.united("seq", range, None, limit, &rest);
        Sql::new("SELECT count(*) FROM (").sql(rows).text(") AS counted").returning()
    }

    /// How many rows a walk of a range comes by, up to `rows`, whether or not they pass the filters that the index does not
    /// serve, and the lowest and the highest `seq` of these.
    pub(crate) fn reach(&self, range: SeqRange, order: Order, rows: i64) -> Statement<'a, Reach> {
        let walk = self.united("seq", range, Some(order), rows, &Sql::default());
        Sql::new("SELECT count(*), min(seq), max(seq) FROM (").sql(walk).text(") AS walked").returning()
    }

    /// Those of the listed rows that match, in order.
    pub(crate) fn listed<ST>(&self, columns: &'static str, seqs: &'a [i64], order: Order) -> Statement<'a, ST> {
        let rows = Sql::new(format!("SELECT {columns} FROM activity_log WHERE seq = ANY(")).bind(seqs).text(")");
        rows.sql(rest_of_all(self.filters)).text(format!(" ORDER BY seq {}", direction(order))).returning()
    }

    fn ordered(&self, columns: &'static str, range: SeqRange, order: Order, rows: i64) -> Sql<'a> {
        self.united(columns, range, Some(order), rows, &rest(self.filters, |filter| self.searches.serve(filter)))
    }

    /// The first rows of all searches that pass the rest of the filters; any of them without an order.
    fn united(
        &self,
        columns: &'static str,
        range: SeqRange,
        order: Option<Order>,
        rows: i64,
        rest: &Sql<'a>,
    ) -> Sql<'a> {
        let direction = direction(order.unwrap_or(Order::Descending));
        let mut searches = self.searches.conditions();
        let is_single = searches.len() == 1;
        let (key, _) = self.searches.key();
        let selected = if is_single { columns.to_owned() } else { format!("{columns}, {key} AS key") };
        let search = |condition| self.search(&selected, condition, range, direction, rows, rest);
        if is_single && let Some(condition) = searches.pop() {
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
        // The searches have their rows in the order of the key, so that the planner can merge them and stop at the limit.
        let order = if order.is_some() { format!(" ORDER BY key {direction}") } else { String::new() };
        union.text(format!(") AS found{order} LIMIT {rows}"))
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
        let others = after_seq(columns);
        let (seq, rest) = match self.searches {
            Searches::Planned => ("seq", rest.clone()),
            _ => (SEQ_SERIES, without_index(rest.clone())),
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

/// A number of rows that is a little more, so that there are few different statements to keep prepared.
pub(crate) fn rounded(rows: i64) -> i64 {
    let step = (rows.max(1).ilog2().saturating_sub(3)).min(62);
    let step = 1 << step;
    rows.saturating_add(step - 1) / step * step
}
