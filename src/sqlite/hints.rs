//! Hints for SQLite's query planner, which guesses without statistics and errs with stale ones.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

// SQLite uses no index for `+column`.
diesel::prefix_operator!(NoIndex, "+", Text);

/// A test that the planner takes few rows to pass, so that it uses the test's index.
///
/// Statistics of a column with few values, such as `severity`, say that each value is common. The planner would then
/// rather scan the table, even for the one rare value.
pub(crate) fn selective<T>(test: T) -> Likelihood<T> {
    Likelihood { test, probability: "0.001" }
}

/// A test that the planner takes half of the rows to pass, so that it prefers no index because of it.
///
/// Without the hint it takes a range with two ends to hold one row in 64, however long the range is.
pub(crate) fn unselective<T>(test: T) -> Likelihood<T> {
    Likelihood { test, probability: "0.5" }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Likelihood<T> {
    test: T,
    probability: &'static str,
}

impl<T: Expression> Expression for Likelihood<T> {
    type SqlType = T::SqlType;
}

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Likelihood<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("likelihood(");
        self.test.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        out.push_sql(self.probability);
        out.push_sql(")");
        Ok(())
    }
}

impl<T: ValidGrouping<GroupBy>, GroupBy> ValidGrouping<GroupBy> for Likelihood<T> {
    type IsAggregate = T::IsAggregate;
}

impl<T, Table> AppearsOnTable<Table> for Likelihood<T> where T: AppearsOnTable<Table> {}

impl<T, Table> SelectableExpression<Table> for Likelihood<T> where T: SelectableExpression<Table> {}
