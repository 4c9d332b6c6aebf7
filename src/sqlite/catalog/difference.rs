//! How a database differs from what belongs to the log.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::DatabaseError;

use crate::error::{Error, Result};
use crate::sqlite::catalog::column::{are_foreign, columns_of, ids_are_unique, misfit};
use crate::sqlite::catalog::expected::Expected;
use crate::sqlite::catalog::object::{Object, objects};

/// An object of the log that is missing, or there with another definition.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) expected: Object,
    pub(crate) is_missing: bool,
}

impl Difference {
    /// Whether it is that the ids are not unique.
    pub(crate) fn is_about_ids(&self) -> bool {
        self.expected.name == UNIQUE_ID_NAME
    }

    /// Whether a table is missing or has other columns, so that nothing can be read from it.
    pub(crate) fn is_about_a_table(&self) -> bool {
        self.expected.kind == "table"
    }
}

/// Refuses a database in which the log has no place: its own table of that name is not a log, or a name that the log needs
/// belongs to another table.
pub(crate) fn refuse_foreign_objects(conn: &mut SqliteConnection, expected: &Expected) -> Result<()> {
    let objects = objects(conn)?;
    for wanted in &expected.objects {
        let Some(namesake) = objects.iter().find(|object| object.has_name(&wanted.name)) else { continue };
        let is_foreign = !namesake.is_in_place_of(wanted)
            || wanted.kind == "table"
                && wanted.name != "activity_log"
                && are_foreign(&columns_of(conn, &wanted.name)?, expected.columns(&wanted.name));
        if is_foreign {
            return Err(namesake.takes_name_of(&wanted.table));
        }
    }
    let columns = columns_of(conn, "activity_log")?;
    match misfit(&columns, expected.columns("activity_log")) {
        Some(reason) if !columns.is_empty() => Err(Error::ForeignTable { reason }),
        _ => Ok(()),
    }
}

/// What of the log is missing or different.
pub(crate) fn differences(conn: &mut SqliteConnection, expected: &Expected) -> Result<Vec<Difference>> {
    let objects = objects(conn)?;
    let differences = expected.objects.iter().filter_map(|wanted| {
        let found = objects.iter().find(|object| object.has_name(&wanted.name));
        // An adopted table of entries may be defined in other words; its columns were looked at.
        let is_whole = found.is_some_and(|found| found.is_defined_like(wanted) || wanted.name == "activity_log");
        (!is_whole).then(|| Difference { expected: wanted.clone(), is_missing: found.is_none() })
    });
    let mut differences = differences.collect::<Vec<_>>();
    if !columns_of(conn, "activity_log")?.is_empty() && !ids_are_unique(conn)? {
        let [kind, name, table, definition] =
            ["index", UNIQUE_ID_NAME, "activity_log", UNIQUE_ID].map(ToOwned::to_owned);
        differences.push(Difference { expected: Object { kind, name, table, definition }, is_missing: true });
    }
    Ok(differences)
}

/// Makes the database what the log expects, and returns whether rows may have changed unseen by the summaries. The caller is
/// in a transaction.
pub(crate) fn put_right(conn: &mut SqliteConnection, expected: &Expected) -> Result<bool> {
    let all = differences(conn, expected)?;
    for Difference { expected: Object { kind, name, .. }, .. } in all.iter().filter(|difference| !difference.is_missing)
    {
        conn.batch_execute(&format!("DROP {kind} {name}"))?;
    }
    // A table that is dropped takes its indexes with it.
    for Difference { expected, .. } in differences(conn, expected)? {
        match conn.batch_execute(&expected.definition) {
            // Ids of a foreign table that are there twice stay.
            Err(DatabaseError(UniqueViolation, _)) => {}
            outcome => outcome?,
        }
    }
    Ok(all.iter().any(|difference| difference.expected.kind != "index"))
}

const UNIQUE_ID_NAME: &str = "idx_activity_log_id";
/// For an adopted table whose ids are not unique by its own definition, as after `CREATE TABLE … AS SELECT`.
const UNIQUE_ID: &str = "CREATE UNIQUE INDEX idx_activity_log_id ON activity_log (id)";
