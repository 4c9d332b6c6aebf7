//! Making a database what the log needs.

use diesel::prelude::*;

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::sqlite::catalog::difference::{differences, put_right, refuse_foreign_objects};
use crate::sqlite::catalog::expected::Expected;
use crate::sqlite::migrations::{is_newer, run_pending};
use crate::sqlite::segments::summarize::rollups_are_missing;
use crate::sqlite::transaction::with_transaction;
use crate::sqlite::upkeep::{catch_up, rebuild};

/// Brings the database to the schema that this version of the crate reads and writes.
///
/// Call it at every start-up, before or after the host's own migrations. It
///
/// - runs the pending migrations, all or nothing. An existing `activity_log` table is adopted with its rows. In a log that
///   already has entries, the second migration builds indexes, some seconds per million entries, and writers wait that long;
/// - puts back tables, indexes and triggers of the log that another tool has dropped or changed, all or nothing, as when it
///   rebuilt the table or restored part of a backup. Unless only indexes were missing, it then
///   [summarizes the whole log again](resummarize), about two seconds per million entries;
/// - summarizes entries that are not summarized yet, such as those that other programs wrote, with pauses for other writers;
///   [`unsummarized`](crate::unsummarized) says whether some are left. Inside a caller's transaction it leaves them to
///   [recording](crate::ActivityLogRepository::record).
///
/// If there is nothing to do, it only reads and takes no lock. Several processes may call it at once and wait for each
/// other, as long as their busy timeout. A database that a newer version of the crate has migrated is left as it is.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// let mut conn = activity_log::connect(":memory:")?;
/// activity_log::run_migrations(&mut conn)?;
/// activity_log::run_migrations(&mut conn)?; // changes nothing
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::ForeignTable`] if the database has a table `activity_log` that is not a log, [`Error::NameTaken`] if an index or
/// a trigger of another table has a name that the log needs, [`Error::Busy`] if another connection holds the lock,
/// [`Error::Full`] if there is no room, [`Error::Migration`] if a migration fails otherwise.
pub fn run_migrations(conn: &mut SqliteConnection) -> Result<()> {
    if is_newer(conn)? {
        return Ok(());
    }
    let expected = Expected::new()?;
    refuse_foreign_objects(conn, &expected)?;
    let is_migrated = run_pending(conn)?;
    // Ids that are there twice in a table of another origin stay so at each start.
    let differs = differences(conn, &expected)?.iter().any(|difference| is_migrated || !difference.is_about_ids());
    if differs || rollups_are_missing(conn)? {
        with_transaction(conn, |conn| {
            let may_have_changed_unseen = put_right(conn, &expected)?;
            if may_have_changed_unseen || rollups_are_missing(conn)? {
                rebuild(conn)?;
            }
            Ok(())
        })?;
    }
    catch_up(conn)
}

/// Computes all summaries of the log again, which pages use to find their rows and counts to add them up.
///
/// The summaries follow whatever is recorded, deleted and updated, by any program. Call this function
///
/// - after rows were inserted with a chosen `seq` among older ones, as when restoring a backup, or after SQLite's sequence
///   was reset;
/// - after `INSERT OR REPLACE` deleted rows while `PRAGMA recursive_triggers` was off, when SQLite runs no delete trigger;
/// - now and then in a program that runs for long and only reads what others write: [start-up](run_migrations) and
///   [recording](crate::ActivityLogRepository::record) summarize new rows, and until then they are looked through one by one;
/// - to see why summarizing fails, if [`unsummarized`](crate::unsummarized) keeps growing.
///
/// It also puts back what is missing of the log, as [`run_migrations`] does. It reads the whole log in one transaction, about
/// two seconds per million entries.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// activity_log::resummarize(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`run_migrations`]. Nothing has changed then.
pub fn resummarize(conn: &mut SqliteConnection) -> Result<()> {
    let expected = Expected::new()?;
    with_transaction(conn, |conn| {
        refuse_foreign_objects(conn, &expected)?;
        put_right(conn, &expected)?;
        Ok(rebuild(conn)?)
    })
}
