//! Whether a connection is inside a transaction.

use diesel::data_types::PgTimestamp;
use diesel::prelude::QueryResult;
use diesel::sql_types::Timestamptz;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// Whether the connection is inside a transaction, also one that was begun as SQL text.
pub(crate) async fn is_in_transaction(conn: &mut impl Execute) -> QueryResult<bool> {
    if conn.is_in_diesels_transaction() {
        return Ok(true);
    }
    let began = transaction_began(conn).await?;
    is_still_in_transaction(conn, began).await
}

/// Whether the connection still is in the transaction that `began`. Outside of transactions, each statement is its own.
pub(crate) async fn is_still_in_transaction(conn: &mut impl Execute, began: PgTimestamp) -> QueryResult<bool> {
    Ok(transaction_began(conn).await? == began)
}

async fn transaction_began(conn: &mut impl Execute) -> QueryResult<PgTimestamp> {
    conn.one(Sql::new("SELECT transaction_timestamp()").returning::<Timestamptz>()).await
}
