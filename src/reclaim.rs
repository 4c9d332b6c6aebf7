use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::Result;
use crate::pace::in_short_steps;
use crate::sqlite::{checkpoint, file_space, in_transaction};

const FIRST_STEP_PAGES: i64 = 200;

/// Gives the space that a prune or a clear freed back to the file system; returns about how many bytes.
///
/// What is freed is used again by later entries in any case: this is for a log that has become smaller for good. It
/// works as [`prune`](crate::ActivityLogRepository::prune) does, in transactions that aim at 20 ms each with pauses
/// between them, and shrinks the file when nobody reads from it at the end, else with the next checkpoint.
///
/// It can do so for a database that [`configure`](crate::configure) found empty, or any other with
/// `PRAGMA auto_vacuum = INCREMENTAL`, and returns 0 for others. Those shrink by `VACUUM` alone, which rewrites the
/// whole file, takes as much disk again, and stops every writer meanwhile; run once as
/// `PRAGMA auto_vacuum = INCREMENTAL; VACUUM;` while the server is down, it makes them one of the former.
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
/// [`Error::Busy`](crate::Error::Busy) when the lock cannot be had within twelve busy timeouts, and
/// [`Error::Database`](crate::Error::Database) when the database fails; what was given back until then stays so.
pub fn reclaim(conn: &mut SqliteConnection) -> Result<u64> {
    let before = file_space(conn)?;
    if !before.incremental_vacuum || before.free_pages == 0 {
        return Ok(0);
    }
    if in_transaction(conn)? {
        conn.batch_execute("PRAGMA incremental_vacuum")?;
    } else {
        let mut left = before.free_pages;
        in_short_steps(conn, FIRST_STEP_PAGES, |conn, pages| {
            conn.batch_execute(&format!("PRAGMA incremental_vacuum({})", pages.min(left)))?;
            left -= pages;
            Ok(left > 0)
        })?;
        checkpoint(conn)?;
    }
    let after = file_space(conn)?;
    Ok(((before.pages - after.pages).max(0) * before.page_size).unsigned_abs())
}
