//! What SQLite's query planner is told, because it would guess otherwise without statistics, and with stale ones too.

use diesel::expression::{AppearsOnTable, Expression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

// The value itself, for which no index is used: the one on `ts` would have what it finds sorted.
diesel::prefix_operator!(Unindexed, "+", Text);

/// The test itself, which few rows are then taken to pass, so that its index is used.
///
/// Where a column has few values, as the severities, statistics have it that each is common; for the rare one of them
/// the planner would then rather scan the table.
pub(crate) fn rare<T>(test: T) -> Likely<T> {
    Likely { test, probability: "0.001" }
}

/// The test itself, which half of the rows are then taken to pass, so that no other's index is left aside for it.
///
/// Of a range with two ends, however long, the planner would take one row of 64 to be in it.
pub(crate) fn common<T>(test: T) -> Likely<T> {
    Likely { test, probability: "0.5" }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Likely<T> {
    test: T,
    probability: &'static str,
}

impl<T: Expression> Expression for Likely<T> {
    type SqlType = T::SqlType;
}

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Likely<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("likelihood(");
        self.test.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        out.push_sql(self.probability);
        out.push_sql(")");
        Ok(())
    }
}

impl<T: ValidGrouping<GroupBy>, GroupBy> ValidGrouping<GroupBy> for Likely<T> {
    type IsAggregate = T::IsAggregate;
}

impl<T, Table> AppearsOnTable<Table> for Likely<T> where T: AppearsOnTable<Table> {}
