//! A follower gets each entry once, in order.

use activity_log::{ActivityLogRepository, NewActivityLogEntry};
use async_host::Result;
use async_host::deadpool::{open, run};
use async_host::follow::follow;
use deadpool_diesel::sqlite::Pool;
use diesel::prelude::*;
use tempfile::TempDir;
use tokio::sync::mpsc::channel;

async fn pool() -> Result<(TempDir, Pool)> {
    let folder = tempfile::tempdir()?;
    let pool = open(&folder.path().join("server.db").display().to_string(), 2).await?;
    Ok((folder, pool))
}

async fn record(pool: &Pool, number: usize) -> Result<usize> {
    run(pool, move |conn| {
        let entries = (0..number).map(|_| NewActivityLogEntry::new("system", "tick", "cron", "Tick"));
        ActivityLogRepository::new(conn).record_all(&entries.collect::<Vec<_>>())
    })
    .await
}

#[tokio::test]
async fn entries_arrive_once_and_in_order_those_of_before_and_those_of_later() -> Result<()> {
    let (_folder, pool) = pool().await?;
    record(&pool, 250).await?;
    let (sender, mut entries) = channel(1);
    let follower = tokio::spawn(follow(pool.clone(), Default::default(), 5, sender));
    for seq in 6..=250 {
        assert_eq!(entries.recv().await.ok_or("ended")?.seq, seq);
    }
    record(&pool, 1).await?;
    assert_eq!(entries.recv().await.ok_or("ended")?.seq, 251);
    drop(entries);
    follower.await?
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_left_out() -> Result<()> {
    let (_folder, pool) = pool().await?;
    record(&pool, 10).await?;
    run(&pool, |conn| {
        Ok(diesel::sql_query("UPDATE activity_log SET ts = 'yesterday' WHERE seq IN (4, 5)").execute(conn)?)
    })
    .await?;
    let (sender, mut entries) = channel(1);
    let follower = tokio::spawn(follow(pool.clone(), Default::default(), 0, sender));
    for seq in [1, 2, 3, 6, 7, 8, 9, 10] {
        assert_eq!(entries.recv().await.ok_or("ended")?.seq, seq);
    }
    drop(entries);
    follower.await?
}
