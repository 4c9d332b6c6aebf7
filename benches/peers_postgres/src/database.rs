//! A database of the benchmark's own, with one log for all peers.

use activity_log::NewActivityLogEntry;
use activity_log::postgres::{ActivityLogRepository, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::entries::{FIRST_ENTRIES, entry};
use crate::peer::BenchResult;

const CHUNK: u64 = 10_000;

/// It is dropped at the end.
pub(crate) struct Database {
    server: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// Creates the log with statistics of its first entries only, as after a bulk load without ANALYZE.
    pub(crate) fn create(server: &str, rows: u64) -> BenchResult<Self> {
        let name = format!("activity_log_peers_{}", std::process::id());
        PgConnection::establish(server)?.batch_execute(&format!("CREATE DATABASE {name}"))?;
        let (address, parameters) = server.split_once('?').unwrap_or((server, ""));
        let (address, _) = address.rsplit_once('/').ok_or("the address names no database")?;
        let url = format!("{address}/{name}?{parameters}").trim_end_matches('?').to_owned();
        let database = Self { server: server.to_owned(), name, url };
        let mut conn = database.connect()?;
        run_migrations(&mut conn)?;
        conn.batch_execute("ALTER TABLE activity_log SET (autovacuum_enabled = false)")?;
        let first = FIRST_ENTRIES.min(rows);
        fill(&mut conn, 0, first, rows)?;
        conn.batch_execute("ANALYZE activity_log")?;
        fill(&mut conn, first, rows, rows)?;
        conn.batch_execute("CHECKPOINT")?;
        Ok(database)
    }

    pub(crate) fn connect(&self) -> BenchResult<PgConnection> {
        Ok(PgConnection::establish(&self.url)?)
    }

    pub(crate) fn vacuum_and_analyze(&self) -> BenchResult {
        Ok(self.connect()?.batch_execute("VACUUM (ANALYZE) activity_log")?)
    }
}

fn fill(conn: &mut PgConnection, first: u64, end: u64, rows: u64) -> BenchResult {
    let mut next = first;
    while next < end {
        let chunk = (next..end.min(next + CHUNK)).map(|number| entry(number, rows));
        ActivityLogRepository::new(conn).record_all(&chunk.collect::<Vec<NewActivityLogEntry>>())?;
        next += CHUNK;
    }
    Ok(())
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let dropped = PgConnection::establish(&self.server).map(|mut conn| conn.batch_execute(&drop));
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("cannot drop the database {}", self.name);
        }
    }
}
