//! Looking for what is wrong with a log.

use diesel::prelude::*;

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::model::problem::Problem;
use crate::sqlite::catalog::difference::{Difference, differences, refuse_foreign_objects};
use crate::sqlite::catalog::expected::Expected;
use crate::sqlite::catalog::object::objects;
use crate::sqlite::migrations::{is_newer, pending_versions};
use crate::sqlite::search;
use crate::sqlite::segments::verify::wrong_segments;
use crate::sqlite::transaction::with_read_transaction;

/// Reports what is wrong with the log, without changing anything: what is missing of it, summaries that disagree with the
/// entries, and a search index that lacks a message or does not propose one of a sample. It returns nothing if the log is whole.
///
/// It reads the whole log, some seconds per million entries, and takes no lock. It is meant for an operator's page or
/// command. [`run_migrations`](crate::run_migrations) puts right what it can at every start-up, but takes the summaries at
/// their word.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// for problem in activity_log::check(&mut conn)? {
///     eprintln!("{problem}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::ForeignTable`] and [`Error::NameTaken`] if the log has no place in the database, [`Error::Database`] if the
/// database fails.
pub fn check(conn: &mut SqliteConnection) -> Result<Vec<Problem>> {
    let expected = Expected::new()?;
    with_read_transaction(conn, |conn| {
        refuse_foreign_objects(conn, &expected)?;
        let mut problems = Vec::new();
        if is_newer(conn)? {
            problems.push(Problem::NewerDatabase);
        }
        let pending = pending_versions(conn)?;
        let differences = if pending.is_empty() { differences(conn, &expected)? } else { Vec::new() };
        let is_comparable = pending.is_empty() && !differences.iter().any(Difference::is_about_a_table);
        problems.extend(pending.into_iter().map(|version| Problem::PendingMigration { version }));
        problems.extend(differences.into_iter().map(Problem::from));
        if objects(conn)?.iter().any(|object| object.has_name("activity_log") && !object.numbers_grow()) {
            problems.push(Problem::NoAutoincrement);
        }
        if !is_comparable {
            return Ok(problems);
        }
        problems.extend(wrong_segments(conn)?.into_iter().map(|first_seq| Problem::WrongSummary { first_seq }));
        if search::verify::is_wrong(conn)? {
            problems.push(Problem::WrongSearch);
        }
        Ok(problems)
    })
}

impl From<Difference> for Problem {
    fn from(difference: Difference) -> Self {
        let (kind, name) = (difference.expected.kind, difference.expected.name);
        if difference.is_missing { Self::Missing { kind, name } } else { Self::Different { kind, name } }
    }
}
