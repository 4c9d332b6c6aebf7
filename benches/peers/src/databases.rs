use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::entries::entries;
use crate::hand_written::HandWritten;
use crate::peer::{BenchResult, Peer};
use crate::settings::SCHEMA;
use crate::through_activity_log::ThroughActivityLog;

const FILL_BATCH: usize = 10_000;

/// The indexes and triggers of a log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Schema {
    FirstMigration,
    AllMigrations,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Log {
    /// The log for operations that write.
    Small,
    /// The log for operations that read.
    Full,
    /// The full log, with the search index of activity-log enabled.
    Searchable,
}

/// The prepared logs, each in its own file.
pub(crate) struct Databases {
    folder: TempDir,
}

impl Databases {
    pub(crate) fn prepare(small_rows: usize, full_rows: usize) -> BenchResult<Self> {
        let databases = Self { folder: tempfile::tempdir()? };
        for (log, rows) in [(Log::Small, small_rows), (Log::Full, full_rows)] {
            let peers = HandWritten::open(&databases.path(Schema::FirstMigration, log))?;
            peers.execute(SCHEMA)?;
            fill(Box::new(peers), rows)?;

            let mut ours = ThroughActivityLog::open(&databases.path(Schema::AllMigrations, log))?;
            ours.migrate()?;
            fill(Box::new(ours), rows)?;
        }
        let searchable = databases.path(Schema::AllMigrations, Log::Searchable);
        copy(&databases.path(Schema::AllMigrations, Log::Full), &searchable)?;
        ThroughActivityLog::open(&searchable)?.enable_search()?;
        Ok(databases)
    }

    /// The file of a log for reading only.
    pub(crate) fn path(&self, schema: Schema, log: Log) -> PathBuf {
        let file = match (schema, log) {
            (Schema::FirstMigration, Log::Small) => "peers-small.db",
            (Schema::FirstMigration, Log::Full | Log::Searchable) => "peers-full.db",
            (Schema::AllMigrations, Log::Small) => "activity-log-small.db",
            (Schema::AllMigrations, Log::Full) => "activity-log-full.db",
            (Schema::AllMigrations, Log::Searchable) => "activity-log-searchable.db",
        };
        self.folder.path().join(file)
    }

    /// A fresh copy of a log for writing. The next copy overwrites it.
    pub(crate) fn copy(&self, schema: Schema, log: Log) -> BenchResult<PathBuf> {
        let path = self.folder.path().join("copy.db");
        copy(&self.path(schema, log), &path)?;
        Ok(path)
    }
}

fn fill(mut peer: Box<dyn Peer>, rows: usize) -> BenchResult {
    for first in (0..rows).step_by(FILL_BATCH) {
        peer.record_all(&entries(first..rows.min(first + FILL_BATCH))?)?;
    }
    // The last connection to close writes the write-ahead log back to the file.
    peer.close()
}

fn copy(from: &Path, to: &Path) -> BenchResult {
    fs::copy(from, to)?;
    // Otherwise the disk would still be writing the copy while the first commits wait for the disk.
    Ok(File::open(to)?.sync_all()?)
}
