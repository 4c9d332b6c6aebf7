//! What the three ways have in common, so that a test is written once and runs for each.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Barrier};

use async_host::Result;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use diesel_async::pooled_connection::deadpool;
use tempfile::TempDir;

pub(crate) type Work<T> = Box<dyn FnOnce(&mut SqliteConnection) -> activity_log::Result<T> + Send>;

/// A pool and the function that runs work with it.
pub(crate) trait Way: Clone + Send + Sync + 'static {
    fn open(path: &str, connections: u32) -> impl Future<Output = Result<Self>> + Send;
    fn run<T: Send + 'static>(&self, work: Work<T>) -> impl Future<Output = Result<T>> + Send;
}

#[derive(Clone)]
pub(crate) struct SpawnBlocking(async_host::spawn_blocking::Pool);

impl Way for SpawnBlocking {
    async fn open(path: &str, connections: u32) -> Result<Self> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Ok(Self(async_host::spawn_blocking::open(&path, connections)?))).await?
    }

    async fn run<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        async_host::spawn_blocking::run(&self.0, work).await
    }
}

#[derive(Clone)]
pub(crate) struct Deadpool(deadpool_diesel::sqlite::Pool);

impl Way for Deadpool {
    async fn open(path: &str, connections: u32) -> Result<Self> {
        Ok(Self(async_host::deadpool::open(path, connections as usize).await?))
    }

    async fn run<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        async_host::deadpool::run(&self.0, work).await
    }
}

#[derive(Clone)]
pub(crate) struct DieselAsync(deadpool::Pool<async_host::diesel_async::Connection>);

impl Way for DieselAsync {
    async fn open(path: &str, connections: u32) -> Result<Self> {
        Ok(Self(async_host::diesel_async::open(path, connections as usize).await?))
    }

    async fn run<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        async_host::diesel_async::run(&self.0, work).await
    }
}

/// A database with one device, a lamp.
pub(crate) struct Database<W> {
    pub(crate) pool: W,
    pub(crate) path: String,
    folder: TempDir,
}

impl<W: Way> Database<W> {
    pub(crate) async fn open(connections: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("server.db").display().to_string();
        let pool = W::open(&path, connections).await?;
        pool.run(Box::new(add_lamp)).await?;
        Ok(Self { pool, path, folder })
    }

    /// Makes the pool open all of its connections.
    pub(crate) async fn fill_pool(&self, connections: usize) -> Result<()> {
        let barrier = Arc::new(Barrier::new(connections));
        let calls = (0..connections).map(|_| {
            let (pool, barrier) = (self.pool.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                pool.run::<()>(Box::new(move |_| {
                    barrier.wait();
                    Ok(())
                }))
                .await
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await??;
        }
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The name of the device and how many entries there are.
    pub(crate) async fn state(&self) -> Result<(String, u64)> {
        self.pool.run(Box::new(state)).await
    }
}

fn add_lamp(conn: &mut SqliteConnection) -> activity_log::Result<()> {
    conn.batch_execute(
        "CREATE TABLE devices (id TEXT PRIMARY KEY, name TEXT NOT NULL); INSERT INTO devices VALUES ('dev_7', 'Lamp')",
    )?;
    Ok(())
}

pub(crate) fn state(conn: &mut SqliteConnection) -> activity_log::Result<(String, u64)> {
    use async_host::devices::devices;
    use diesel::prelude::*;
    let name = devices::table.find("dev_7").select(devices::name).first(conn)?;
    let entries = activity_log::ActivityLogRepository::new(conn).count(&Default::default())?;
    Ok((name, entries))
}

/// Takes the write lock of the database without waiting for it, on a connection outside the pool.
pub(crate) fn take_write_lock(path: &str) -> activity_log::Result<()> {
    let mut conn = activity_log::connect(path)?;
    conn.batch_execute("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK")?;
    Ok(())
}

/// Waits for the write lock for as long as the host's connections do.
pub(crate) fn wait_for_write_lock(path: &str) -> activity_log::Result<()> {
    activity_log::connect(path)?.batch_execute("BEGIN IMMEDIATE; ROLLBACK")?;
    Ok(())
}

/// Runs a test once for each way.
macro_rules! for_each_way {
    ($(async fn $name:ident<$way:ident: Way>() -> Result<()> $body:block)+) => {
        $(async fn $name<$way: crate::way::Way>() -> async_host::Result<()> $body)+

        mod spawn_blocking {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> async_host::Result<()> {
                super::$name::<crate::way::SpawnBlocking>().await
            })+
        }

        mod deadpool {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> async_host::Result<()> {
                super::$name::<crate::way::Deadpool>().await
            })+
        }

        mod diesel_async {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> async_host::Result<()> {
                super::$name::<crate::way::DieselAsync>().await
            })+
        }
    };
}
