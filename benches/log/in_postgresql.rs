//! Logs in PostgreSQL.

use activity_log::Repository;
use activity_log::postgres::run_migrations;
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;

use super::log::{BenchResult, FIRST_ENTRIES, entry};

const CHUNK: u64 = 10_000;

/// A log in a schema of its own, which is dropped with it.
pub(crate) struct Log {
    pub(crate) rows: u64,
    schema: String,
    pub(crate) url: String,
    pub(crate) conn: PgConnection,
}

impl Log {
    pub(crate) fn build(server: &str, rows: u64) -> BenchResult<Self> {
        let schema = format!("shapes_{}_{rows}", std::process::id());
        PgConnection::establish(server)?.batch_execute(&format!("CREATE SCHEMA {schema}"))?;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{schema}%20-cclient_min_messages%3Dwarning");
        let conn = PgConnection::establish(&url)?;
        let mut log = Self { rows, schema, url, conn };
        run_migrations(&mut log.conn)?;
        log.conn.batch_execute("ALTER TABLE activity_log SET (autovacuum_enabled = false)")?;
        let first = FIRST_ENTRIES.min(rows);
        log.fill(0, first)?;
        log.conn.batch_execute("ANALYZE activity_log")?;
        log.fill(first, rows)?;
        Ok(log)
    }

    /// Records the entries from `first` to `end`, which is not among them.
    pub(crate) fn fill(&mut self, first: u64, end: u64) -> BenchResult {
        let mut next = first;
        while next < end {
            let chunk = (next..end.min(next + CHUNK)).map(|number| entry(number, self.rows)).collect::<Vec<_>>();
            Repository::new(&mut self.conn).record_all(&chunk)?;
            next += CHUNK;
        }
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Err(error) = self.conn.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.schema)) {
            eprintln!("cannot drop the schema {}: {error}", self.schema);
        }
    }
}
