//! A panic in the host's code within a transaction.

use async_host::devices::rename;
use diesel::prelude::*;

use crate::way::{Database, wait_for_write_lock};

for_each_way! {
    async fn a_panic_rolls_the_change_back_and_others_can_write<W: Way>() -> Result<()> {
        let database = Database::<W>::open(2).await?;
        // So that the next call gets the other connection.
        database.fill_pool(2).await?;
        let panicked = database
            .pool
            .run::<()>(Box::new(|conn| {
                conn.immediate_transaction(|conn| {
                    diesel::sql_query("UPDATE devices SET name = 'Desk lamp'").execute(conn)?;
                    panic!("a mistake in the host's code");
                })
            }))
            .await;
        assert!(panicked.is_err());

        wait_for_write_lock(&database.path)?;
        database.pool.run(Box::new(|conn| rename(conn, "dev_7", "Reading lamp", "bob"))).await?;
        assert_eq!(database.state().await?, ("Reading lamp".to_owned(), 1));
        Ok(())
    }
}
