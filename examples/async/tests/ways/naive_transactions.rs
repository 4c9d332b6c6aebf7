//! Why the page says "the whole transaction in one closure": what an `async` transaction of diesel-async 0.9 does when
//! its future is dropped. If one of these tests fails, a newer version behaves better: change the page.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::channel;

use async_host::diesel_async::{Connection, open};
use async_host::{Error, Result};
use diesel_async::RunQueryDsl;
use diesel_async::pooled_connection::deadpool::Pool;
use tokio::sync::oneshot;

use crate::way::take_write_lock;

/// A transaction that awaits something else between its statements.
async fn rename(pool: Pool<Connection>, within: oneshot::Sender<()>) -> Result<()> {
    let mut conn = pool.get().await?;
    conn.immediate_transaction::<_, Error, _>(async move |conn| {
        diesel::sql_query("CREATE TABLE devices (name TEXT)").execute(conn).await?;
        within.send(()).ok();
        pending::<()>().await; // a request to another server
        Ok(())
    })
    .await
}

async fn open_and_drop_a_transaction(folder: &std::path::Path) -> Result<(Pool<Connection>, String)> {
    let path = folder.join("server.db").display().to_string();
    let pool = open(&path, 2).await?;
    // The pool hands out the connection that has been idle for longest.
    let both = (pool.get().await?, pool.get().await?);
    drop(both);
    let (within, is_within) = oneshot::channel();
    tokio::select! {
        _ = rename(pool.clone(), within) => panic!("it waits for ever"),
        reached = is_within => reached?,
    }
    Ok((pool, path))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_async_transaction_keeps_the_write_lock_while_its_connection_is_idle() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (pool, path) = open_and_drop_a_transaction(folder.path()).await?;

    assert_eq!(pool.status().available, 2);
    let locked = take_write_lock(&path);
    assert!(matches!(locked, Err(activity_log::Error::Busy(_))), "{locked:?}");
    // Neither time nor a request that takes the other connection helps.
    drop(pool.get().await?);
    assert!(take_write_lock(&path).is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_closes_such_a_connection_when_somebody_asks_for_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (pool, path) = open_and_drop_a_transaction(folder.path()).await?;

    let both = (pool.get().await?, pool.get().await?);
    drop(both);
    take_write_lock(&path)?;
    Ok(())
}

#[tokio::test(flavor = "current_thread")]
async fn dropping_a_call_of_the_wrapper_panics_in_a_runtime_with_one_thread() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pool = open(&folder.path().join("server.db").display().to_string(), 1).await?;
    let mut conn = pool.get().await?;
    let (resume, resumed) = channel::<()>();
    let mut call = conn.spawn_blocking(move |_| {
        resumed.recv().ok();
        Ok(())
    });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(pin!(&mut call).poll(&mut context).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_err());
    drop(resume);
    Ok(())
}
