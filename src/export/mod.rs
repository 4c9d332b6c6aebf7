//! The log in files: entries written line by line, and read back.
//!
//! - [`write_ndjson`] and [`read_ndjson`] are for backups: what was written reads back equal.
//! - `write_csv`, behind the feature `csv`, is for people and their spreadsheets: nothing reads it back.
//! - [`FileArchive`] and [`WriterArchive`] keep what [a retention run](crate::Repository::apply_retention_with)
//!   deletes, as NDJSON.
//!
//! The first two write the entries of any iterator, usually [`iter_export`](crate::Repository::iter_export), and hold
//! one entry at a time.
//!
//! # Back up and restore
//!
//! Restored entries keep their ids and times. Each gets a new `seq`, in the old order:
//!
//! ```
//! use std::fs::File;
//! use std::io::{BufReader, BufWriter};
//! use std::path::Path;
//!
//! use activity_log::{ActivityLogFilters, ActivityLogRepository, Error, NewActivityLogEntry, export};
//! use diesel::prelude::*;
//!
//! fn back_up(log: &mut ActivityLogRepository<'_>, path: &Path) -> activity_log::Result<u64> {
//!     let file = File::create(path).map_err(Error::Output)?;
//!     export::write_ndjson(log.iter_export(&ActivityLogFilters::default())?, BufWriter::new(file))
//! }
//!
//! /// In a transaction, so that a restore that failed has changed nothing and can be run again.
//! fn restore(log: &mut ActivityLogRepository<'_>, path: &Path) -> activity_log::Result<u64> {
//!     let file = File::open(path).map_err(Error::Input)?;
//!     let mut entries = export::read_ndjson(BufReader::new(file)).map(|entry| entry.map(NewActivityLogEntry::from));
//!     let mut restored = 0;
//!     loop {
//!         let batch = entries.by_ref().take(1_000).collect::<activity_log::Result<Vec<_>>>()?;
//!         if batch.is_empty() {
//!             return Ok(restored);
//!         }
//!         restored += log.record_all(&batch)? as u64;
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("log.ndjson");
//! # let [mut old, mut new] = [activity_log::connect(":memory:")?, activity_log::connect(":memory:")?];
//! # activity_log::run_migrations(&mut old)?;
//! # activity_log::run_migrations(&mut new)?;
//! # let entries = (0..2_500).map(|_| NewActivityLogEntry::new("system", "a", "b", "c")).collect::<Vec<_>>();
//! # ActivityLogRepository::new(&mut old).record_all(&entries)?;
//! back_up(&mut ActivityLogRepository::new(&mut old), &path)?;
//! let restored = new.immediate_transaction(|conn| restore(&mut ActivityLogRepository::new(conn), &path))?;
//! # assert_eq!(restored, 2_500);
//! # let mut log = ActivityLogRepository::new(&mut new);
//! # let read = log.iter_export(&ActivityLogFilters::default())?.map(|entry| entry.map(NewActivityLogEntry::from));
//! # assert_eq!(read.collect::<activity_log::Result<Vec<_>>>()?, entries);
//! # assert!(matches!(restore(&mut log, &path), Err(Error::DuplicateId { .. })));
//! # assert_eq!(log.count(&ActivityLogFilters::default())?, 2_500);
//! # Ok(())
//! # }
//! ```
//!
//! An entry that the log still has is refused with [`DuplicateId`](crate::Error::DuplicateId). Restore a log that has
//! [limits](crate::Repository::with_limits) of its own with the same limits. A file that was cut at the end of a line
//! reads as a shorter log, so keep the number that writing returned beside it.

mod archive;
#[cfg(feature = "csv")]
mod csv;
mod lines;
mod ndjson;

pub use self::archive::{FileArchive, WriterArchive};
#[cfg(feature = "csv")]
#[cfg_attr(docsrs, doc(cfg(feature = "csv")))]
pub use self::csv::write_csv;
pub use self::ndjson::{MAX_LINE_BYTES, read_ndjson, read_ndjson_with_limit, write_ndjson};
