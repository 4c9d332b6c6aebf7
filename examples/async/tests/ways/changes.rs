//! An entry is recorded inside the transaction of the change, and read back.

use activity_log::{ActivityLogRepository, Error};
use async_host::devices::rename;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::way::Database;

/// In milliseconds. Of the settings of `configure`, this is the one that SQLite would not have otherwise.
fn busy_timeout(conn: &mut SqliteConnection) -> activity_log::Result<i64> {
    let query = sql::<BigInt>("SELECT timeout FROM pragma_busy_timeout");
    Ok(query.get_result(conn)?)
}

for_each_way! {
    async fn a_change_and_its_entry_are_committed_together<W: Way>() -> Result<()> {
        let database = Database::<W>::open(2).await?;
        let seq = database.pool.run(Box::new(|conn| rename(conn, "dev_7", "Desk lamp", "alice"))).await?;

        assert_eq!(database.state().await?, ("Desk lamp".to_owned(), 1));
        let read = |conn: &mut _| ActivityLogRepository::new(conn).page(&Default::default(), None, 50);
        let page = database.pool.run(Box::new(read)).await?;
        assert_eq!((page.entries[0].seq, page.entries[0].action.as_str()), (seq, "device.renamed"));
        assert_eq!(page.entries[0].metadata["previous_name"], "Lamp");
        assert_eq!(page.next_before_seq, None);
        Ok(())
    }

    async fn a_change_that_fails_leaves_neither_itself_nor_an_entry<W: Way>() -> Result<()> {
        let database = Database::<W>::open(2).await?;
        let too_long = "x".repeat(1 << 20);
        let renamed = database.pool.run(Box::new(move |conn| rename(conn, "dev_7", &too_long, "alice"))).await;

        let error = renamed.expect_err("the name is longer than the log accepts");
        assert!(matches!(error.downcast_ref(), Some(Error::InvalidEntry { .. })), "{error}");
        assert_eq!(database.state().await?, ("Lamp".to_owned(), 0));
        Ok(())
    }

    async fn each_connection_of_the_pool_has_the_settings_of_configure<W: Way>() -> Result<()> {
        let database = Database::<W>::open(2).await?;
        let (held, opened) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        let (release, released) = held;
        let pool = database.pool.clone();
        let holder = tokio::spawn(async move {
            pool.run(Box::new(move |conn| {
                let timeout = busy_timeout(conn)?;
                opened.0.send(()).ok();
                released.recv().ok();
                Ok(timeout)
            }))
            .await
        });
        // While the first is in use, the pool opens the second.
        tokio::task::block_in_place(|| opened.1.recv())?;
        assert_eq!(database.pool.run(Box::new(busy_timeout)).await?, 5_000);
        release.send(())?;
        assert_eq!(holder.await??, 5_000);
        Ok(())
    }

    async fn a_call_that_gets_no_connection_is_refused<W: Way>() -> Result<()> {
        let database = Database::<W>::open(1).await?;
        let (opened, has_opened) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let pool = database.pool.clone();
        let holder = tokio::spawn(async move {
            pool.run(Box::new(move |_| {
                opened.send(()).ok();
                released.recv().ok();
                Ok(())
            }))
            .await
        });
        tokio::task::block_in_place(|| has_opened.recv())?;
        assert!(database.state().await.is_err());
        drop(release);
        holder.await??;
        assert_eq!(database.state().await?, ("Lamp".to_owned(), 0));
        Ok(())
    }
}
