//! Adding and removing the search index.

use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::search::fill::rebuild;
use crate::sqlite::search::index::{create_index, drop_index, is_bloated, is_whole, refuse_foreign_index};
use crate::sqlite::segments::extent::growing_segment;
use crate::sqlite::segments::summarize::add_segments;
use crate::sqlite::transaction::with_transaction;

/// Adds an index that finds texts in messages: for terms of three characters and more, `message_contains` no longer scans
/// the log. It finds the same entries as without the index.
///
/// Call it at every start-up after [`run_migrations`](crate::run_migrations). If the index exists and is whole, it does
/// nothing. Otherwise it reads the whole log in one transaction, some ten seconds per million entries, and a writer that waits
/// longer than its busy timeout meanwhile gets [`Error::Busy`](crate::Error::Busy). The file grows by about a fifth.
///
/// [Recording](crate::ActivityLogRepository::record) and start-up then add 4,096 entries at a time, whoever wrote them; the
/// newest entries are looked through one by one. No other statement touches the index, so nothing in it can make a statement of
/// the host's fail. Messages that were deleted or changed are removed from it later, in the same way. SQLite before 3.43 cannot
/// do that: there, this function builds the index again when more than a third of it is of deleted messages.
///
/// The index needs an SQLite with FTS5 and its trigram tokenizer (3.34 or newer), as the bundled one is. `cargo bench --bench
/// writes` shows what it costs a record.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// let mut conn = activity_log::connect(":memory:")?;
/// activity_log::run_migrations(&mut conn)?;
/// activity_log::enable_search(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Busy`](crate::Error::Busy) if another connection holds the lock, [`Error::Full`](crate::Error::Full) if there
/// is no room, [`Error::NameTaken`](crate::Error::NameTaken) if the host has a table `activity_log_search`,
/// [`Error::Database`](crate::Error::Database) if the database fails otherwise, as it does without FTS5. Nothing has changed
/// then.
pub fn enable_search(conn: &mut SqliteConnection) -> Result<()> {
    refuse_foreign_index(conn)?;
    if is_well(conn)? {
        return Ok(());
    }
    with_transaction(conn, |conn| {
        // Another process may have been faster.
        if !is_well(conn)? {
            drop_index(conn)?;
            create_index(conn)?;
            if let Some(growing) = growing_segment(conn)? {
                add_segments(conn, growing, i64::MAX)?;
            }
            rebuild(conn)?;
        }
        Ok(())
    })
}

fn is_well(conn: &mut SqliteConnection) -> Result<bool> {
    Ok(is_whole(conn)? && !is_bloated(conn)?)
}

/// Removes the index that [`enable_search`] added, if it exists.
///
/// # Errors
///
/// Those of [`enable_search`].
pub fn disable_search(conn: &mut SqliteConnection) -> Result<()> {
    refuse_foreign_index(conn)?;
    with_transaction(conn, |conn| Ok(drop_index(conn)?))
}
