//! The search index and its triggers.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::catalog::object::object_exists;
use crate::sqlite::transaction::with_transaction;

/// Adds an index that finds texts in messages: for terms of three characters and more, `message_contains` no longer scans
/// the log. It finds the same entries as without the index.
///
/// Call it at every start-up after [`run_migrations`](crate::run_migrations); if the index exists, it does nothing. The
/// first time it reads the whole log in one transaction, some seconds per million entries. A writer that waits longer than
/// its busy timeout meanwhile gets [`Error::Busy`](crate::Error::Busy). The file grows by about a seventh.
///
/// Triggers then keep the index when the log is recorded to, pruned or changed in any way, by any program. The index needs
/// an SQLite with FTS5 and its trigram tokenizer (3.34 or newer), as the bundled one is. The triggers and the table belong
/// together: remove them only with [`disable_search`]. `cargo bench --bench writes` shows what they cost a record; a prune
/// takes several times as long. Parts of deleted messages may stay in the index until SQLite merges them away.
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
/// is no room, [`Error::Database`](crate::Error::Database) if the database fails otherwise, as it does without FTS5. Nothing
/// has changed then.
pub fn enable_search(conn: &mut SqliteConnection) -> Result<()> {
    if is_enabled(conn)? {
        return Ok(());
    }
    with_transaction(conn, |conn| {
        if !is_enabled(conn)? {
            // A table without its triggers does not know what was recorded since.
            drop_index(conn)?;
            create_index(conn)?;
        }
        Ok(())
    })
}

/// Removes the index that [`enable_search`] added, if it exists.
///
/// # Errors
///
/// Those of [`enable_search`].
pub fn disable_search(conn: &mut SqliteConnection) -> Result<()> {
    with_transaction(conn, |conn| Ok(drop_index(conn)?))
}

/// Does `work`, which empties the log, while the index, if there is one, is dropped. Otherwise its trigger would take the
/// rows out of the index one by one, where SQLite drops them all at once. The caller is in a transaction.
pub(crate) fn without_index<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let enabled = is_enabled(conn)?;
    if enabled {
        drop_index(conn)?;
    }
    let value = work(conn)?;
    if enabled {
        create_index(conn)?;
    }
    Ok(value)
}

pub(crate) fn is_enabled(conn: &mut SqliteConnection) -> QueryResult<bool> {
    object_exists(conn, "activity_log_search_insert")
}

fn create_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(
        "CREATE VIRTUAL TABLE activity_log_search USING fts5( \
            message, content = 'activity_log', content_rowid = 'seq', \
            tokenize = 'trigram', detail = 'none', columnsize = 0 \
        ); \
        CREATE TRIGGER activity_log_search_insert AFTER INSERT ON activity_log BEGIN \
            INSERT INTO activity_log_search (rowid, message) VALUES (new.seq, new.message); \
        END; \
        CREATE TRIGGER activity_log_search_delete AFTER DELETE ON activity_log BEGIN \
            INSERT INTO activity_log_search (activity_log_search, rowid, message) \
            VALUES ('delete', old.seq, old.message); \
        END; \
        CREATE TRIGGER activity_log_search_update AFTER UPDATE ON activity_log \
        WHEN (old.seq, old.message) IS NOT (new.seq, new.message) BEGIN \
            INSERT INTO activity_log_search (activity_log_search, rowid, message) \
            VALUES ('delete', old.seq, old.message); \
            INSERT INTO activity_log_search (rowid, message) VALUES (new.seq, new.message); \
        END; \
        INSERT INTO activity_log_search (activity_log_search) VALUES ('rebuild'); \
        INSERT INTO activity_log_search (activity_log_search) VALUES ('optimize');",
    )
}

fn drop_index(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(
        "DROP TRIGGER IF EXISTS activity_log_search_insert; \
        DROP TRIGGER IF EXISTS activity_log_search_delete; \
        DROP TRIGGER IF EXISTS activity_log_search_update; \
        DROP TABLE IF EXISTS activity_log_search;",
    )
}
