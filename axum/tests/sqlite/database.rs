//! SQLite, as the tests use a database.

pub(crate) use activity_log::enable_search;
use activity_log::{ConnectionCustomizer, run_migrations};
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use tempfile::TempDir;

use crate::viewer::TestResult;

pub(crate) type Connection = SqliteConnection;

/// A database with an empty log. It is deleted when this is dropped.
pub(crate) struct Log {
    folder: TempDir,
}

impl Log {
    pub(crate) fn create() -> TestResult<Self> {
        let log = Self { folder: tempfile::tempdir()? };
        run_migrations(&mut log.connect()?)?;
        Ok(log)
    }

    pub(crate) fn url(&self) -> String {
        self.folder.path().join("log.db").display().to_string()
    }

    pub(crate) fn connect(&self) -> TestResult<Connection> {
        Ok(activity_log::connect(&self.url())?)
    }

    /// Opens connections in another thread.
    pub(crate) fn connector(&self) -> impl FnMut() -> activity_log::Result<Connection> + Send + 'static {
        let url = self.url();
        move || activity_log::connect(&url)
    }

    pub(crate) fn pool(&self, size: u32) -> TestResult<Pool<ConnectionManager<Connection>>> {
        let pool = Pool::builder().max_size(size).connection_customizer(Box::new(ConnectionCustomizer));
        Ok(pool.build(ConnectionManager::new(self.url()))?)
    }
}

/// Makes an entry unreadable, as another program might.
pub(crate) fn break_an_entry(conn: &mut Connection, seq: i64) -> TestResult {
    Ok(conn.batch_execute(&format!("UPDATE activity_log SET metadata = '[1]' WHERE seq = {seq}"))?)
}
