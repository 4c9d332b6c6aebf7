//! Pieces of SQL that Diesel has no words for.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The rowid of the connection's last insert.
    fn last_insert_rowid() -> BigInt;
    /// The position of `part` in `whole`, counted from 1, or 0.
    fn instr(whole: Text, part: Text) -> Integer;
    /// The text with its ASCII letters in lower case.
    fn lower(text: Text) -> Text;
    /// The sum as an integer; NULL for no rows.
    #[aggregate]
    fn sum(number: BigInt) -> Nullable<BigInt>;
}

/// The first rows of a query.
///
/// SQLite prepares a statement with Diesel's own `LIMIT ?` again at each execution, because it plans with the number. It
/// does not for an expression.
#[derive(QueryId)]
pub(crate) struct WithLimit<Q> {
    pub(crate) query: Q,
    pub(crate) limit: i64,
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for WithLimit<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT +");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl<Q: Query> Query for WithLimit<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<SqliteConnection> for WithLimit<Q> {}

/// How many rows a query returns within its limit, which Diesel's own `count` drops.
#[derive(QueryId)]
pub(crate) struct CountRows<Q>(pub(crate) Q);

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for CountRows<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT COUNT(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

impl<Q> Query for CountRows<Q> {
    type SqlType = BigInt;
}

impl<Q> RunQueryDsl<SqliteConnection> for CountRows<Q> {}
