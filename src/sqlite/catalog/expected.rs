//! What belongs to the log: whatever its migrations create.

use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::catalog::column::{Column, columns_of};
use crate::sqlite::catalog::object::{Object, objects};
use crate::sqlite::migrations::run_pending;

/// An empty log, as this version of the crate creates it.
#[derive(Debug)]
pub(crate) struct Expected {
    /// In the order of their creation.
    pub(crate) objects: Vec<Object>,
    columns: Vec<(String, Vec<Column>)>,
}

impl Expected {
    pub(crate) fn new() -> Result<Self> {
        let mut conn = SqliteConnection::establish(":memory:")?;
        run_pending(&mut conn)?;
        let mut objects = objects(&mut conn)?;
        // Diesel's table of versions is the host's as well.
        objects.retain(|object| object.table.starts_with("activity_log"));
        let tables = objects.iter().filter(|object| object.kind == "table").map(|object| object.name.clone());
        let columns = tables.map(|table| Ok((table.clone(), columns_of(&mut conn, &table)?)));
        let columns = columns.collect::<QueryResult<Vec<_>>>()?;
        Ok(Self { objects, columns })
    }

    /// The columns of one of the tables.
    pub(crate) fn columns(&self, table: &str) -> &[Column] {
        self.columns.iter().find(|(name, _)| name == table).map_or(&[], |(_, columns)| columns)
    }
}
