//! A future that is dropped leaves the whole change or nothing of it, and a pool in which everybody can write.

use std::future::Future;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Waker};

use async_host::Result;
use async_host::devices::rename;
use diesel::SqliteConnection;
use diesel::prelude::*;
use tokio::task::{JoinHandle, block_in_place};

use crate::way::{Database, Way, Work, take_write_lock};

/// Begins `work` in a task, and returns once `work` has called the function passed to it. That function returns when
/// the test says so.
async fn begin<W: Way>(
    pool: &W,
    work: impl FnOnce(&mut SqliteConnection, &dyn Fn()) -> activity_log::Result<i64> + Send + 'static,
) -> Result<(JoinHandle<Result<i64>>, Sender<()>)> {
    let (reached, at_moment) = channel();
    let (resume, resumed) = channel();
    let pool = pool.clone();
    let work: Work<i64> = Box::new(move |conn| {
        work(conn, &|| {
            reached.send(()).ok();
            resumed.recv().ok();
        })
    });
    let task = tokio::spawn(async move { pool.run(work).await });
    block_in_place(|| at_moment.recv())?;
    Ok((task, resume))
}

/// Drops the future as a server does when the client disconnects.
async fn drop_future(task: JoinHandle<Result<i64>>, resume: Sender<()>) {
    task.abort();
    resume.send(()).ok();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
}

/// The pool has one connection, so that whoever gets it next comes after the dropped call.
async fn assert_whole_and_writable<W: Way>(database: &Database<W>) -> Result<()> {
    assert_eq!(database.state().await?, ("Desk lamp".to_owned(), 1));
    take_write_lock(&database.path)?;
    database.pool.run(Box::new(|conn| rename(conn, "dev_7", "Lamp", "bob"))).await?;
    assert_eq!(database.state().await?, ("Lamp".to_owned(), 2));
    Ok(())
}

for_each_way! {
    async fn dropped_before_it_is_polled_it_changes_nothing<W: Way>() -> Result<()> {
        let database = Database::<W>::open(1).await?;
        drop(database.pool.run(Box::new(|conn| rename(conn, "dev_7", "Desk lamp", "alice"))));
        assert_eq!(database.state().await?, ("Lamp".to_owned(), 0));
        take_write_lock(&database.path)?;
        Ok(())
    }

    async fn dropped_while_it_waits_for_a_connection_it_changes_all_or_nothing<W: Way>() -> Result<()> {
        let database = Database::<W>::open(1).await?;
        let (holder, resume) = begin(&database.pool, |_, wait| {
            wait();
            Ok(0)
        })
        .await?;
        {
            let pool = database.pool.clone();
            let mut waiting = Box::pin(pool.run(Box::new(|conn| rename(conn, "dev_7", "Desk lamp", "alice"))));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        resume.send(())?;
        holder.await??;

        // Whether and when the waiting call runs depends on the way. If it runs, it is one transaction.
        database.pool.run(Box::new(|conn| rename(conn, "dev_7", "Reading lamp", "bob"))).await?;
        let (name, entries) = database.state().await?;
        let possible = [("Reading lamp", 1), ("Reading lamp", 2), ("Desk lamp", 2)];
        assert!(possible.contains(&(name.as_str(), entries)), "{name} {entries}");
        Ok(())
    }

    async fn dropped_within_its_transaction_it_is_committed_whole<W: Way>() -> Result<()> {
        let database = Database::<W>::open(1).await?;
        let (task, resume) = begin(&database.pool, |conn, wait| {
            conn.immediate_transaction(|conn| {
                let seq = rename_within(conn)?;
                wait();
                Ok(seq)
            })
        })
        .await?;
        assert!(take_write_lock(&database.path).is_err());
        drop_future(task, resume).await;
        assert_whole_and_writable(&database).await
    }

    async fn dropped_between_a_change_and_its_entry_it_is_committed_whole<W: Way>() -> Result<()> {
        let database = Database::<W>::open(1).await?;
        let (task, resume) = begin(&database.pool, |conn, wait| {
            conn.immediate_transaction(|conn| {
                diesel::sql_query("UPDATE devices SET name = 'Desk lamp'").execute(conn)?;
                wait();
                let entry = activity_log::NewActivityLogEntry::new("device", "device.renamed", "alice", "Renamed");
                activity_log::ActivityLogRepository::new(conn).record(&entry)
            })
        })
        .await?;
        drop_future(task, resume).await;
        assert_whole_and_writable(&database).await
    }

    async fn dropped_after_its_commit_it_is_committed<W: Way>() -> Result<()> {
        let database = Database::<W>::open(1).await?;
        let (task, resume) = begin(&database.pool, |conn, wait| {
            let seq = rename(conn, "dev_7", "Desk lamp", "alice")?;
            wait();
            Ok(seq)
        })
        .await?;
        drop_future(task, resume).await;
        assert_whole_and_writable(&database).await
    }
}

/// Like [`rename`], within the caller's transaction.
fn rename_within(conn: &mut SqliteConnection) -> activity_log::Result<i64> {
    diesel::sql_query("UPDATE devices SET name = 'Desk lamp'").execute(conn)?;
    let entry = activity_log::NewActivityLogEntry::new("device", "device.renamed", "alice", "Renamed");
    activity_log::ActivityLogRepository::new(conn).record(&entry)
}

/// A server with one thread neither waits for the call to end nor panics when it drops the future.
#[tokio::test(flavor = "current_thread")]
async fn with_diesel_async_a_future_can_be_dropped_in_a_runtime_with_one_thread() -> Result<()> {
    let database = Database::<crate::way::DieselAsync>::open(1).await?;
    let (reached, mut at_moment) = tokio::sync::mpsc::unbounded_channel();
    let (resume, resumed) = channel::<()>();
    let pool = database.pool.clone();
    let task = tokio::spawn(async move {
        pool.run(Box::new(move |conn| {
            conn.immediate_transaction(|conn| {
                let seq = rename_within(conn)?;
                reached.send(()).ok();
                resumed.recv().ok();
                Ok(seq)
            })
        }))
        .await
    });
    at_moment.recv().await.ok_or("the work did not begin")?;
    drop_future(task, resume).await;
    assert_whole_and_writable(&database).await
}
