use std::sync::atomic::AtomicBool;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::busy::without_busy_timeout;
use crate::sqlite::pragma::{checkpoint, file_space};
use crate::sqlite::throttle::in_throttled_batches;
use crate::sqlite::transaction::is_in_transaction;

const FIRST_BATCH_PAGES: i64 = 200;

/// Returns to the file system the space that a prune or a clear freed, and says about how many bytes that is.
///
/// SQLite reuses freed space for later entries in any case, so this is for a log that has become smaller for good. Like
/// [`prune`](crate::ActivityLogRepository::prune), it works in transactions that aim at 20 ms each, with pauses between
/// them. The file shrinks at the end if nobody reads from it then, or else at the next checkpoint.
///
/// This works for a database that [`configure`](crate::configure) found empty, and for any other with `PRAGMA
/// auto_vacuum = INCREMENTAL`. For all others it returns 0: only `VACUUM` shrinks them, which rewrites the whole file,
/// needs as much disk again, and stops every writer meanwhile. Run `PRAGMA auto_vacuum = INCREMENTAL; VACUUM;` once
/// while the server is down, and this function works from then on.
///
/// ```
/// # use activity_log::ActivityLogRepository;
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// ActivityLogRepository::new(&mut conn).prune(None, Some(100_000))?;
/// activity_log::reclaim(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Busy`](crate::Error::Busy) if another connection holds the lock for twelve busy timeouts,
/// [`Error::Database`](crate::Error::Database) if the database fails. What has been returned until then stays returned.
pub fn reclaim(conn: &mut SqliteConnection) -> Result<u64> {
    reclaim_until(conn, &AtomicBool::new(false))
}

/// Like [`reclaim`], but ends early once `stop` is set.
pub(crate) fn reclaim_until(conn: &mut SqliteConnection, stop: &AtomicBool) -> Result<u64> {
    let before = file_space(conn)?;
    if !before.incremental_vacuum || before.free_pages == 0 {
        return Ok(0);
    }
    if is_in_transaction(conn)? {
        conn.batch_execute("PRAGMA incremental_vacuum")?;
    } else {
        let mut left = before.free_pages;
        in_throttled_batches(conn, FIRST_BATCH_PAGES, stop, |conn, pages| {
            conn.batch_execute(&format!("PRAGMA incremental_vacuum({})", pages.min(left)))?;
            left -= pages;
            Ok(left > 0)
        })?;
        without_busy_timeout(conn, |conn, _| Ok(checkpoint(conn)?))?;
    }
    let after = file_space(conn)?;
    Ok(((before.pages - after.pages).max(0) * before.page_size).unsigned_abs())
}
