//! PostgreSQL.

use activity_log::Result;
use diesel::prelude::*;

use crate::database::backend::{Backend, Operations};

impl Backend for PgConnection {}

impl Operations for PgConnection {
    fn with_write_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.transaction(work)
    }

    /// A transaction with one snapshot could not tell what others still commit.
    fn with_read_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        work(self)
    }

    const IS_A_FILE: bool = false;

    fn file(&mut self) -> Option<String> {
        None
    }
}
