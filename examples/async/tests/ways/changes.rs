//! An entry is recorded inside the transaction of the change, and read back.

use activity_log::{ActivityLogRepository, Error};
use async_host::devices::rename;
use diesel::prelude::*;

use crate::way::Database;

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    value: i64,
}

fn setting(conn: &mut SqliteConnection, name: &str) -> activity_log::Result<i64> {
    let query = diesel::sql_query(format!("SELECT {name} AS value FROM pragma_{name}"));
    Ok(query.get_result::<Setting>(conn)?.value)
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
                let settings = (setting(conn, "synchronous")?, setting(conn, "foreign_keys")?);
                opened.0.send(()).ok();
                released.recv().ok();
                Ok(settings)
            }))
            .await
        });
        // While the first is in use, the pool opens the second.
        tokio::task::block_in_place(|| opened.1.recv())?;
        let second = |conn: &mut _| Ok((setting(conn, "synchronous")?, setting(conn, "foreign_keys")?));
        assert_eq!(database.pool.run(Box::new(second)).await?, (2, 1));
        release.send(())?;
        assert_eq!(holder.await??, (2, 1));
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
