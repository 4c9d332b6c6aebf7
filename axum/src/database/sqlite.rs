//! SQLite.

use activity_log::{ActivityLogFilters, ActivityLogRepository, Result};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::database::backend::{Backend, Operations};

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
