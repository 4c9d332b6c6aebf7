//! Diesel's own pool, and tokio's threads for blocking work.

use std::time::Duration;

use activity_log::ConnectionCustomizer;
use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, Pool as R2d2Pool};

use crate::error::Result;

/// How long a call waits for a connection before it is refused.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);

/// Clones share their connections.
pub type Pool = R2d2Pool<ConnectionManager<SqliteConnection>>;

/// Opens and migrates the database. Blocks: call it before the server starts, or within `spawn_blocking`.
pub fn open(path: &str, connections: u32) -> Result<Pool> {
    // Not through the pool, which would retry until its timeout before it says what is wrong with the file.
    activity_log::run_migrations(&mut activity_log::connect(path)?)?;
    let pool = Pool::builder()
        .max_size(connections)
        .connection_timeout(POOL_TIMEOUT)
        .connection_customizer(Box::new(ConnectionCustomizer))
        .build(ConnectionManager::new(path))?;
    Ok(pool)
}

/// Runs `work` with a connection. `work` runs to completion even if the caller stops waiting.
pub async fn run<T, F>(pool: &Pool, work: F) -> Result<T>
where
    F: FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send + 'static,
    T: Send + 'static,
{
    let pool = pool.clone();
    tokio::task::spawn_blocking(move || {
        let mut conn = pool.get()?;
        Ok(work(&mut conn)?)
    })
    .await?
}
