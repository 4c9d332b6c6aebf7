//! A connection to either database.
#![expect(missing_docs, missing_debug_implementations, reason = "for what Diesel derives")]

use activity_log::{NewActivityLogEntry, Repository};
use diesel::prelude::*;

/// A connection for the host's own tables.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl AnyConnection {
    /// Records an entry, in the current transaction if there is one; returns its `seq`.
    ///
    /// # Errors
    ///
    /// Those of [`Repository::record`].
    pub fn record(&mut self, entry: &NewActivityLogEntry) -> activity_log::Result<i64> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => Repository::new(conn).record(entry),
            Self::Sqlite(conn) => Repository::new(conn).record(entry),
        }
    }

    /// Records all entries or none.
    ///
    /// # Errors
    ///
    /// Those of [`Repository::record_all`].
    pub fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> activity_log::Result<usize> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => Repository::new(conn).record_all(entries),
            Self::Sqlite(conn) => Repository::new(conn).record_all(entries),
        }
    }

    /// The `seq` of the newest entry; `None` if the log is empty.
    ///
    /// # Errors
    ///
    /// Those of [`Repository::newest_seq`].
    pub fn newest_seq(&mut self) -> activity_log::Result<Option<i64>> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => Repository::new(conn).newest_seq(),
            Self::Sqlite(conn) => Repository::new(conn).newest_seq(),
        }
    }

    /// Records all batches, each in a transaction of its own, if the log is empty; returns whether it was.
    ///
    /// # Errors
    ///
    /// Those of [`record_all`](Self::record_all) and [`newest_seq`](Self::newest_seq).
    pub fn fill(&mut self, batches: impl Iterator<Item = Vec<NewActivityLogEntry>>) -> activity_log::Result<bool> {
        if self.newest_seq()?.is_some() {
            return Ok(false);
        }
        for batch in batches {
            self.record_all(&batch)?;
        }
        Ok(true)
    }
}
