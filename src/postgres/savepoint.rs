//! Statements whose failure leaves the transaction around it usable.

use diesel::prelude::QueryResult;
use diesel::sql_types::BigInt;

use crate::postgres::execute::Execute;
use crate::postgres::statement::Statement;

/// Executes a statement. If it fails, nothing has changed and the transaction, if there is one, goes on.
pub(crate) async fn attempt(
    conn: &mut impl Execute,
    is_in_transaction: bool,
    statement: Statement<'_>,
) -> QueryResult<usize> {
    begin(conn, is_in_transaction).await?;
    let outcome = conn.execute(statement).await;
    end(conn, is_in_transaction, outcome).await
}

/// The same for a statement that returns numbers.
pub(crate) async fn attempt_to_load(
    conn: &mut impl Execute,
    is_in_transaction: bool,
    statement: Statement<'_, BigInt>,
) -> QueryResult<Vec<i64>> {
    begin(conn, is_in_transaction).await?;
    let outcome = conn.load::<i64, _>(statement).await;
    end(conn, is_in_transaction, outcome).await
}

async fn begin(conn: &mut impl Execute, is_in_transaction: bool) -> QueryResult<()> {
    if is_in_transaction { conn.batch("SAVEPOINT activity_log").await } else { Ok(()) }
}

async fn end<T>(conn: &mut impl Execute, is_in_transaction: bool, outcome: QueryResult<T>) -> QueryResult<T> {
    if !is_in_transaction {
        return outcome;
    }
    match outcome {
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
