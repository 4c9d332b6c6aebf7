//! A blocking connection: each of its futures is ready at once.

use std::future::ready;
use std::thread::sleep;
use std::time::Duration;

use diesel::connection::{
    DefaultLoadingMode, LoadConnection, SimpleConnection, TransactionManager, TransactionManagerStatus,
};
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::result::Error::DeserializationError;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Statement;
use crate::repository::Repository;
use crate::store::Backend;

/// Writes and reads a log in PostgreSQL, through a connection that it borrows: see [`Repository`].
pub type ActivityLogRepository<'conn> = Repository<'conn, PgConnection>;

impl Backend for PgConnection {}

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

    fn sleep(&mut self, duration: Duration) -> impl Future<Output = ()> + Send {
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
