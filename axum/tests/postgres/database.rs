//! PostgreSQL, as the tests use a database.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use activity_log::postgres::enable_search;
use activity_log::postgres::run_migrations;
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};

use crate::viewer::TestResult;

pub(crate) type Connection = PgConnection;

/// The address of the server. Without one, all tests of this program are skipped.
#[expect(clippy::disallowed_methods, reason = "only the environment can tell tests where a server is")]
fn server() -> String {
    const SERVER: &str = "ACTIVITY_LOG_POSTGRES_URL";
    std::env::var(SERVER).unwrap_or_else(|_| {
        // Not captured, as what a test prints is.
        let told = writeln!(std::io::stderr(), "\nskipped: these tests need {SERVER}, the address of a server.");
        std::process::exit(i32::from(told.is_err()));
    })
}

/// A schema with an empty log.
pub(crate) struct Log {
    url: String,
}

impl Log {
    pub(crate) fn create() -> TestResult<Self> {
        static SCHEMAS: AtomicU32 = AtomicU32::new(0);
        let server = server();
        let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let schema = format!("v_{}_{started}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        PgConnection::establish(&server)?.batch_execute(&format!("CREATE SCHEMA {schema}"))?;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{schema}%20-cclient_min_messages%3Dwarning");
        let log = Self { url };
        run_migrations(&mut log.connect()?)?;
        Ok(log)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn connect(&self) -> TestResult<Connection> {
        Ok(PgConnection::establish(&self.url)?)
    }

    /// Opens connections in another thread.
    pub(crate) fn connector(&self) -> impl FnMut() -> activity_log::Result<Connection> + Send + 'static {
        let url = self.url.clone();
        move || Ok(PgConnection::establish(&url)?)
    }

    pub(crate) fn pool(&self, size: u32) -> TestResult<Pool<ConnectionManager<Connection>>> {
        Ok(Pool::builder().max_size(size).build(ConnectionManager::new(&*self.url))?)
    }
}

/// Makes an entry unreadable, as another program might.
pub(crate) fn break_an_entry(conn: &mut Connection, seq: i64) -> TestResult {
    Ok(conn.batch_execute(&format!("UPDATE activity_log SET metadata = '[1]' WHERE seq = {seq}"))?)
}
