//! What belongs to the log: whatever its migrations create.

use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::catalog::column::{Column, columns_of_log};
use crate::sqlite::catalog::object::{Object, objects};
use crate::sqlite::migrations::run_pending;

/// An empty log, as this version of the crate creates it.
#[derive(Debug)]
pub(crate) struct Expected {
    /// In the order of their creation.
    pub(crate) objects: Vec<Object>,
    pub(crate) columns: Vec<Column>,
}

impl Expected {
    pub(crate) fn new() -> Result<Self> {
        let mut conn = SqliteConnection::establish(":memory:")?;
        run_pending(&mut conn)?;
        let mut objects = objects(&mut conn)?;
        // Diesel's table of versions is the host's as well.
        objects.retain(|object| object.table.starts_with("activity_log"));
        Ok(Self { objects, columns: columns_of_log(&mut conn)? })
    }
}
