//! Executing statements, on a connection of any kind.
//!
//! What the log does in PostgreSQL is written once, as `async` functions. On a blocking connection each of their waits is
//! over before it begins, so [`now`] runs them to their end.

use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::Duration;

use diesel::connection::{
    DefaultLoadingMode, LoadConnection, SimpleConnection, TransactionManager, TransactionManagerStatus,
};
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::result::Error::{DeserializationError, NotFound};

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

    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send;

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

impl Execute for PgConnection {
    fn load<'a, T, ST>(&mut self, statement: Statement<'a, ST>) -> impl Future<Output = QueryResult<Vec<T>>> + Send
    where
        T: FromSqlRow<ST, Pg> + Send + 'static,
        ST: 'static,
        Pg: QueryMetadata<ST>,
    {
        ready(load_now(self, statement))
    }

    fn execute(&mut self, statement: Statement<'_>) -> impl Future<Output = QueryResult<usize>> + Send {
        ready(RunQueryDsl::execute(statement, self))
    }

    fn batch(&mut self, sql: &str) -> impl Future<Output = QueryResult<()>> + Send {
        ready(self.batch_execute(sql))
    }

    fn is_in_diesels_transaction(&mut self) -> bool {
        match <Self as Connection>::TransactionManager::transaction_manager_status_mut(self) {
            TransactionManagerStatus::Valid(status) => status.transaction_depth().is_some(),
            TransactionManagerStatus::InError => true,
        }
    }

    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send {
        sleep(duration);
        ready(())
    }
}

fn load_now<T, ST>(conn: &mut PgConnection, statement: Statement<'_, ST>) -> QueryResult<Vec<T>>
where
    T: FromSqlRow<ST, Pg>,
    ST: 'static,
    Pg: QueryMetadata<ST>,
{
    let rows = LoadConnection::<DefaultLoadingMode>::load(conn, statement)?;
    rows.map(|row| T::build_from_row(&row?).map_err(DeserializationError)).collect()
}

/// Runs a future on a blocking connection to its end.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        // A blocking connection is ready at once.
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
