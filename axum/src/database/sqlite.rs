//! SQLite.

use activity_log::Result;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::database::backend::{Backend, Operations};

impl Backend for SqliteConnection {}

impl Operations for SqliteConnection {
    fn with_write_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.immediate_transaction(work)
    }

    fn with_read_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.transaction(work)
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
