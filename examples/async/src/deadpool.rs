//! deadpool-diesel: waiting for a connection takes no thread.

use std::time::Duration;

use deadpool_diesel::sqlite::{Hook, HookError, Manager, Object, Pool, Runtime};
use diesel::SqliteConnection;
use tokio::time::timeout;

use crate::error::Result;

/// How long a call waits for a connection before it is refused.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);

/// Opens and migrates the database.
pub async fn open(path: &str, connections: usize) -> Result<Pool> {
    let pool = Pool::builder(Manager::new(path, Runtime::Tokio1))
        .max_size(connections)
        .post_create(Hook::async_fn(|conn, _| {
            Box::pin(async move {
                let configured = conn.interact(activity_log::configure).await;
                let configured = configured.map_err(|error| HookError::message(error.to_string()))?;
                configured.map_err(|error| HookError::message(error.to_string()))
            })
        }))
        .build()?;
    run(&pool, activity_log::run_migrations).await?;
    Ok(pool)
}

/// Runs `work` with a connection. Once begun, `work` runs to completion even if the caller stops waiting.
pub async fn run<T, F>(pool: &Pool, work: F) -> Result<T>
where
    F: FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    T: Send + 'static,
{
    let conn = timeout(POOL_TIMEOUT, pool.get()).await??;
    match conn.interact(work).await {
        Ok(outcome) => Ok(outcome?),
        Err(panicked) => {
            // The pool would keep the connection, its transaction open, until somebody asks for it.
            drop(Object::take(conn));
            Err(panicked.to_string().into())
        }
    }
}
