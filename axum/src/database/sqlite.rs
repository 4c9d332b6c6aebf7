//! SQLite.

use activity_log::{ActivityLogFilters, ActivityLogRepository, ConnectionCustomizer, Result};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::r2d2::CustomizeConnection;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::database::backend::{Backend, Operations};
use crate::database::file::OpenFile;

impl Backend for SqliteConnection {}

impl Operations for SqliteConnection {
    fn with_write_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.immediate_transaction(work)
    }

    fn with_read_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.transaction(work)
    }

    fn bytes(&mut self) -> Result<u64> {
        let size = sql::<BigInt>("(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)");
        Ok(diesel::select(size).get_result::<i64>(self)?.unsigned_abs())
    }

    /// All of them: summaries of the entries are added up.
    fn entries(&mut self) -> Result<u64> {
        ActivityLogRepository::new(self).count(&ActivityLogFilters::default())
    }

    fn has_search(&mut self) -> Result<bool> {
        let exists = sql::<Bool>("EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'activity_log_search')");
        Ok(diesel::select(exists).get_result(self)?)
    }

    const IS_A_FILE: bool = true;

    fn file(&mut self) -> Option<String> {
        #[derive(QueryableByName)]
        struct Database {
            #[diesel(sql_type = Text)]
            file: String,
        }

        let main = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let found = diesel::sql_query(main).get_result::<Database>(self).ok()?;
        // A database in memory has no file.
        Some(found.file).filter(|file| !file.is_empty())
    }
}

/// For the host's pool: sets a connection up as [`ConnectionCustomizer`] does, and keeps
/// the pool from opening, or creating, another file in the place of this one.
impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for OpenFile {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        // SQLite opens the file at the first statement.
        self.check().map_err(|lost| diesel::r2d2::Error::ConnectionError(lost.into()))?;
        ConnectionCustomizer.on_acquire(conn)
    }
}
