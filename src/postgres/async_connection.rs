//! An async connection.

use std::pin::pin;
use std::time::Duration;

use diesel::connection::TransactionManagerStatus;
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::result::Error::DeserializationError;
use diesel_async::{
    AsyncConnection, AsyncConnectionCore, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection, TransactionManager,
};
use futures_util::TryStreamExt;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Statement;

impl Execute for AsyncPgConnection {
    async fn load<'a, T, ST>(&mut self, statement: Statement<'a, ST>) -> QueryResult<Vec<T>>
    where
        T: FromSqlRow<ST, Pg> + Send + 'static,
        ST: 'static,
        Pg: QueryMetadata<ST>,
    {
        let mut rows = pin!(AsyncConnectionCore::load(self, statement).await?);
        let mut loaded = Vec::new();
        while let Some(row) = rows.try_next().await? {
            loaded.push(T::build_from_row(&row).map_err(DeserializationError)?);
        }
        Ok(loaded)
    }

    async fn execute(&mut self, statement: Statement<'_>) -> QueryResult<usize> {
        RunQueryDsl::execute(statement, self).await
    }

    async fn batch(&mut self, sql: &str) -> QueryResult<()> {
        self.batch_execute(sql).await
    }

    fn is_in_diesels_transaction(&mut self) -> bool {
        match <Self as AsyncConnection>::TransactionManager::transaction_manager_status_mut(self) {
            TransactionManagerStatus::Valid(status) => status.transaction_depth().is_some(),
            TransactionManagerStatus::InError => true,
        }
    }

    async fn sleep(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
