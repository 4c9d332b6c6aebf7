//! Statements whose failure leaves the transaction around it usable.

use diesel::prelude::QueryResult;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Statement;

/// Executes a statement. If it fails, nothing has changed and the transaction, if there is one, goes on.
pub(crate) async fn attempt(
    conn: &mut impl Execute,
    is_in_transaction: bool,
    statement: Statement<'_>,
) -> QueryResult<usize> {
    if !is_in_transaction {
        return conn.execute(statement).await;
    }
    conn.batch("SAVEPOINT activity_log").await?;
    match conn.execute(statement).await {
        Ok(rows) => {
            conn.batch("RELEASE SAVEPOINT activity_log").await?;
            Ok(rows)
        }
        Err(error) => {
            // Where this fails, the connection is gone, and the first error says why.
            let _ = conn.batch("ROLLBACK TO SAVEPOINT activity_log; RELEASE SAVEPOINT activity_log").await;
            Err(error)
        }
    }
}
