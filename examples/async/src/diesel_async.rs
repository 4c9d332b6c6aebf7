//! diesel-async: its connection to SQLite runs each call on a thread for blocking work.

use std::time::Duration;

use diesel::SqliteConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::{Hook, HookError, Object, Pool};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use tokio::time::timeout;

use crate::error::Result;

/// How long a call waits for a connection before it is refused.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection to SQLite, usable in async code.
pub type Connection = SyncConnectionWrapper<SqliteConnection>;

/// Opens and migrates the database.
pub async fn open(path: &str, connections: usize) -> Result<Pool<Connection>> {
    let pool = Pool::builder(AsyncDieselConnectionManager::<Connection>::new(path))
        .max_size(connections)
        .post_create(Hook::async_fn(|conn: &mut Connection, _| {
            Box::pin(async move {
                let configured = conn.spawn_blocking(|conn| Ok(activity_log::configure(conn))).await;
                let configured = configured.map_err(|error| HookError::message(error.to_string()))?;
                configured.map_err(|error| HookError::message(error.to_string()))
            })
        }))
        .build()?;
    run(&pool, activity_log::run_migrations).await?;
    Ok(pool)
}

/// Runs all of `work` with a connection in one call. `work` runs to completion even if the caller stops waiting.
pub async fn run<T, F>(pool: &Pool<Connection>, work: F) -> Result<T>
where
    F: FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    T: Send + 'static,
{
    let pool = pool.clone();
    // In a task of its own, because dropping the wrapper's future blocks the thread until the call has ended, and
    // panics in a runtime with one thread.
    tokio::spawn(async move {
        let mut conn = timeout(POOL_TIMEOUT, pool.get()).await??;
        match conn.spawn_blocking(|conn| Ok(work(conn))).await {
            Ok(outcome) => Ok(outcome?),
            Err(panicked) => {
                // The pool would keep the connection, its transaction open, until somebody asks for it.
                drop(Object::take(conn));
                Err(panicked.into())
            }
        }
    })
    .await?
}
