//! The log that the benchmarks measure, in SQLite.

mod entries;

use std::ops::Range;

use activity_log::ActivityLogRepository;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
pub(crate) use entries::*;

const CHUNK: usize = 10_000;

/// A log in a file that is deleted on drop.
pub(crate) struct LogFile {
    folder: tempfile::TempDir,
}

impl LogFile {
    /// An empty log with the tables that `migrate` creates.
    pub(crate) fn create(migrate: impl FnOnce(&mut SqliteConnection) -> BenchResult) -> BenchResult<Self> {
        let file = Self { folder: tempfile::tempdir()? };
        migrate(&mut file.connect()?)?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> String {
        self.folder.path().join("log.db").display().to_string()
    }

    pub(crate) fn connect(&self) -> BenchResult<SqliteConnection> {
        Ok(activity_log::connect(&self.path())?)
    }
}

/// Records the entries with these numbers of a log of `rows` rows.
pub(crate) fn fill(conn: &mut SqliteConnection, numbers: Range<u64>, rows: u64) -> BenchResult {
    for first in numbers.clone().step_by(CHUNK) {
        let chunk = (first..numbers.end.min(first + CHUNK as u64)).map(|number| entry(number, rows));
        ActivityLogRepository::new(conn).record_all(&chunk.collect::<Vec<_>>())?;
    }
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
