//! Transactions, within the caller's or of their own.

use diesel::data_types::PgTimestamp;
use diesel::prelude::QueryResult;
use diesel::sql_types::{Bool, Timestamptz};

use crate::error::Result;
use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// A transaction of its own, or a part of the caller's that can be rolled back.
#[derive(Debug)]
pub(crate) struct Transaction {
    is_part: bool,
}

impl Transaction {
    /// Each statement of the transaction sees what others have committed, unless it is a part of a stricter one.
    pub(crate) async fn begin(conn: &mut impl Execute) -> QueryResult<Self> {
        let is_part = is_in_transaction(conn).await?;
        conn.batch(if is_part { "SAVEPOINT activity_log_part" } else { "BEGIN ISOLATION LEVEL READ COMMITTED" })
            .await?;
        Ok(Self { is_part })
    }

    /// Commits, or rolls back if the outcome is an error.
    pub(crate) async fn end<T>(self, conn: &mut impl Execute, outcome: Result<T>) -> Result<T> {
        if outcome.is_err() {
            // Where this fails, the connection is gone, and the first error says why.
            let _ = self.roll_back(conn).await;
            return outcome;
        }
        conn.batch(if self.is_part { "RELEASE SAVEPOINT activity_log_part" } else { "COMMIT" }).await?;
        outcome
    }

    pub(crate) async fn roll_back(self, conn: &mut impl Execute) -> QueryResult<()> {
        let part = "ROLLBACK TO SAVEPOINT activity_log_part; RELEASE SAVEPOINT activity_log_part";
        conn.batch(if self.is_part { part } else { "ROLLBACK" }).await
    }
}

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

/// Whether the connection may only read, as on a standby.
pub(crate) async fn is_read_only(conn: &mut impl Execute) -> QueryResult<bool> {
    conn.one(Sql::new("SELECT current_setting('transaction_read_only') = 'on'").returning::<Bool>()).await
}
