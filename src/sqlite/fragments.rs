//! Pieces of SQL that Diesel has no words for.

use std::marker::PhantomData;

use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The rowid of the connection's last insert.
    fn last_insert_rowid() -> BigInt;
    /// The position of `part` in `whole`, counted from 1, or 0.
    fn instr(whole: Text, part: Text) -> Integer;
    /// The text with its ASCII letters in lower case.
    fn lower(text: Text) -> Text;
    /// The part of the text from a character on, counted from 1.
    fn substr(text: Text, from: BigInt, characters: BigInt) -> Text;
    /// The sum as an integer; NULL for no rows.
    #[aggregate]
    fn sum(number: BigInt) -> Nullable<BigInt>;
}

/// The first rows of a query.
///
/// SQLite prepares a statement with Diesel's own `LIMIT ?` again at each execution, because it plans with the number.
/// It does not for an expression.
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

/// A test that a row passes if another test is false or NULL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IsNotTrue<T>(pub(crate) T);

impl<T: Expression> Expression for IsNotTrue<T> {
    type SqlType = Bool;
}

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for IsNotTrue<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") IS NOT TRUE");
        Ok(())
    }
}

impl<T: ValidGrouping<GroupBy>, GroupBy> ValidGrouping<GroupBy> for IsNotTrue<T> {
    type IsAggregate = T::IsAggregate;
}

impl<T, Table> AppearsOnTable<Table> for IsNotTrue<T> where T: AppearsOnTable<Table> {}

impl<T, Table> SelectableExpression<Table> for IsNotTrue<T> where T: SelectableExpression<Table> {}

/// A test in a statement that Diesel does not keep prepared, because the text of the test is often another one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unprepared<T>(pub(crate) T);

impl<T: Expression> Expression for Unprepared<T> {
    type SqlType = Bool;
}

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Unprepared<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        self.0.walk_ast(out)
    }
}

impl<T: ValidGrouping<GroupBy>, GroupBy> ValidGrouping<GroupBy> for Unprepared<T> {
    type IsAggregate = T::IsAggregate;
}

impl<T, Table> AppearsOnTable<Table> for Unprepared<T> where T: AppearsOnTable<Table> {}

impl<T, Table> SelectableExpression<Table> for Unprepared<T> where T: SelectableExpression<Table> {}

/// A query over the rows of another one.
pub(crate) struct SelectFrom<Q, SqlType> {
    select: String,
    rows: Q,
    clauses: String,
    sql_type: PhantomData<SqlType>,
}

impl<Q, SqlType> SelectFrom<Q, SqlType> {
    pub(crate) fn new(select: String, rows: Q, clauses: String) -> Self {
        Self { select, rows, clauses, sql_type: PhantomData }
    }
}

impl<Q: QueryFragment<Sqlite>, SqlType> QueryFragment<Sqlite> for SelectFrom<Q, SqlType> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        // The text of the query may be different each time.
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT ");
        out.push_sql(&self.select);
        out.push_sql(" FROM (");
        self.rows.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(&self.clauses);
        Ok(())
    }
}

impl<Q, SqlType> QueryId for SelectFrom<Q, SqlType> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, SqlType> Query for SelectFrom<Q, SqlType> {
    type SqlType = SqlType;
}

impl<Q, SqlType> RunQueryDsl<SqliteConnection> for SelectFrom<Q, SqlType> {}
