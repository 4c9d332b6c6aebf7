//! The log in files: entries written line by line, and read back.
//!
//! - [`write_ndjson`] and [`read_ndjson`] are for backups: what was written reads back equal.
//! - `write_csv`, behind the feature `csv`, is for people and their spreadsheets: nothing reads it back.
//!
//! Both write from any iterator of entries, [`iter_export`](crate::ActivityLogRepository::iter_export) above all, and hold
//! one entry at a time.
//!
//! # Back up and restore
//!
//! The restored entries keep their ids and times, and get a new `seq` each, in the old order:
//!
//! ```
//! use std::fs::File;
//! use std::io::{BufReader, BufWriter};
//! use std::path::Path;
//!
//! use activity_log::{ActivityLogFilters, ActivityLogRepository, Error, NewActivityLogEntry, export};
//! use diesel::SqliteConnection;
//!
//! fn back_up(conn: &mut SqliteConnection, path: &Path) -> activity_log::Result<u64> {
//!     let file = File::create(path).map_err(Error::Output)?;
//!     let mut log = ActivityLogRepository::new(conn);
//!     export::write_ndjson(log.iter_export(&ActivityLogFilters::default())?, BufWriter::new(file))
//! }
//!
//! fn restore(conn: &mut SqliteConnection, path: &Path) -> activity_log::Result<u64> {
//!     let file = File::open(path).map_err(Error::Input)?;
//!     let mut entries = export::read_ndjson(BufReader::new(file)).map(|entry| entry.map(NewActivityLogEntry::from));
//!     // One transaction, so that a restore that failed has changed nothing and can be run again.
//!     conn.immediate_transaction(|conn| {
//!         let mut log = ActivityLogRepository::new(conn);
//!         let mut restored = 0;
//!         loop {
//!             let batch = entries.by_ref().take(1_000).collect::<activity_log::Result<Vec<_>>>()?;
//!             if batch.is_empty() {
//!                 return Ok(restored);
//!             }
//!             restored += log.record_all(&batch)? as u64;
//!         }
//!     })
//! }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("log.ndjson");
//! # let [mut old, mut new] = [activity_log::connect(":memory:")?, activity_log::connect(":memory:")?];
//! # activity_log::run_migrations(&mut old)?;
//! # activity_log::run_migrations(&mut new)?;
//! # let entries = (0..2_500).map(|_| NewActivityLogEntry::new("system", "a", "b", "c")).collect::<Vec<_>>();
//! # ActivityLogRepository::new(&mut old).record_all(&entries)?;
//! # assert_eq!(back_up(&mut old, &path)?, 2_500);
//! # assert_eq!(restore(&mut new, &path)?, 2_500);
//! # let mut log = ActivityLogRepository::new(&mut new);
//! # let restored = log.iter_export(&ActivityLogFilters::default())?.map(|entry| entry.map(NewActivityLogEntry::from));
//! # assert_eq!(restored.collect::<activity_log::Result<Vec<_>>>()?, entries);
//! # assert!(matches!(restore(&mut new, &path), Err(Error::DuplicateId { .. })));
//! # assert_eq!(ActivityLogRepository::new(&mut new).count(&ActivityLogFilters::default())?, 2_500);
//! # Ok(())
//! # }
//! ```
//!
//! An entry that the log still has is refused as a [`DuplicateId`](crate::Error::DuplicateId). A log with
//! [limits](crate::ActivityLogRepository::with_limits) of its own is restored with the same ones. A file that was cut at
//! the end of a line reads as a shorter log: keep the number that writing returned beside it.

#[cfg(feature = "csv")]
mod csv;
mod lines;
mod ndjson;

#[cfg(feature = "csv")]
#[cfg_attr(docsrs, doc(cfg(feature = "csv")))]
pub use self::csv::write_csv;
pub use self::ndjson::{MAX_LINE_BYTES, read_ndjson, read_ndjson_with_limit, write_ndjson};
