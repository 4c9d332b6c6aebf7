//! Executing statements, on a connection of any kind.
//!
//! What the log does in PostgreSQL is written once, as `async` functions. On a blocking connection each of their waits is
//! over before it begins.

use std::time::Duration;

use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::result::Error::NotFound;

use crate::postgres::statement::Statement;

/// A connection that executes statements. An error of Diesel's says what went wrong.
pub(crate) trait Execute: Send {
    /// Returns all rows of a statement.
    fn load<'a, T, ST>(&mut self, statement: Statement<'a, ST>) -> impl Future<Output = QueryResult<Vec<T>>> + Send
    where
        T: FromSqlRow<ST, Pg> + Send + 'static,
        ST: 'static,
        Pg: QueryMetadata<ST>;

    /// Executes a statement, and returns how many rows it changed.
    fn execute(&mut self, statement: Statement<'_>) -> impl Future<Output = QueryResult<usize>> + Send;

    /// Executes SQL text without binds.
    fn batch(&mut self, sql: &str) -> impl Future<Output = QueryResult<()>> + Send;

    /// Whether Diesel has begun a transaction on the connection.
    fn is_in_diesels_transaction(&mut self) -> bool;

    fn sleep(&mut self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Returns the first row of a statement.
    fn first<'a, T, ST>(&mut self, statement: Statement<'a, ST>) -> impl Future<Output = QueryResult<Option<T>>> + Send
    where
        T: FromSqlRow<ST, Pg> + Send + 'static,
        ST: 'static,
        Pg: QueryMetadata<ST>,
    {
        let rows = self.load(statement);
        async { Ok(rows.await?.into_iter().next()) }
    }

    /// Returns the only row of a statement.
    fn one<'a, T, ST>(&mut self, statement: Statement<'a, ST>) -> impl Future<Output = QueryResult<T>> + Send
    where
        T: FromSqlRow<ST, Pg> + Send + 'static,
        ST: 'static,
        Pg: QueryMetadata<ST>,
    {
        let row = self.first(statement);
        async { row.await?.ok_or(NotFound) }
    }
}
