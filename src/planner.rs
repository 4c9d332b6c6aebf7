//! What SQLite's query planner is told, because it would guess otherwise without statistics, and with stale ones too.

use diesel::expression::{AppearsOnTable, Expression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

// The value itself, for which no index is used: the one on `ts` would have what it finds sorted.
diesel::prefix_operator!(Unindexed, "+", Text);

/// The test itself, which few rows are then taken to pass, so that its index is used.
///
/// Where a column has few values, as the severities, statistics have it that each is common; for the rare one of them
/// the planner would then rather scan the table.
pub(crate) fn rare<T>(test: T) -> Rare<T> {
    Rare(test)
}

#[derive(Debug, Clone, Copy, QueryId, ValidGrouping)]
pub(crate) struct Rare<T>(T);

impl<T: Expression> Expression for Rare<T> {
    type SqlType = T::SqlType;
}

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Rare<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("likelihood(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(", 0.001)");
        Ok(())
    }
}

impl<T, Table> AppearsOnTable<Table> for Rare<T> where T: AppearsOnTable<Table> {}
