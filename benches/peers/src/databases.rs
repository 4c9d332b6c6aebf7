use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::entries::entries;
use crate::hand_written::HandWritten;
use crate::peer::{BenchResult, Peer};
use crate::settings::SCHEMA;
use crate::through_activity_log::ThroughActivityLog;

const FILL_BATCH: usize = 10_000;

/// Whose indexes and triggers a log has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Schema {
    FirstMigration,
    AllMigrations,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Log {
    /// What is written to.
    Small,
    /// What is read.
    Full,
    /// The full one, that of activity-log with its index of texts enabled.
    Searchable,
}

/// The prepared logs, each in a file of its own.
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

    /// Where a log is that is only to be read.
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

    /// A fresh copy of a log, to be written to until the next one is made.
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
    // The last connection that closes writes the write-ahead log into the file.
    peer.close()
}

fn copy(from: &Path, to: &Path) -> BenchResult {
    fs::copy(from, to)?;
    // Or else the disk is still writing it while the first commits wait for the disk.
    Ok(File::open(to)?.sync_all()?)
}
