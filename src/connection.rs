use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::ConnectionError;
use diesel::result::Error::AlreadyInTransaction;

use crate::sqlite::{ask_for_wal, file_space, in_transaction, set_busy_timeout, while_busy};
use crate::{Error, Result};

/// How long SQLite waits, on a configured connection, for a lock that another connection holds.
///
/// Writing to the log outside a transaction then tries on as long again, more often, before it gives up with
/// [`Error::Busy`].
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a database with the settings that an activity log wants, those of [`configure`].
///
/// `database_url` is a path, a `file:` or `sqlite://` URL, or `:memory:` for a database that lives as long as the
/// connection. A file that does not exist is created; its folder is not. (Connections that share a database in memory
/// by `cache=shared` do not wait for each other, whatever their busy timeout.)
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// let mut conn = activity_log::connect(":memory:")?;
/// activity_log::run_migrations(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Connection`] when the file cannot be opened, and those of [`configure`].
pub fn connect(database_url: &str) -> Result<SqliteConnection> {
    if database_url.contains('\0') {
        // Diesel's error for it would carry the whole URL, and with it a password.
        return Err(ConnectionError::BadConnection("the URL holds a U+0000".to_owned()).into());
    }
    let mut conn = SqliteConnection::establish(database_url)?;
    configure(&mut conn)?;
    Ok(conn)
}

/// Applies to a connection, which the host opened or pools, the settings that an activity log wants:
///
/// - a busy timeout of [`BUSY_TIMEOUT`], so that writers wait for each other instead of failing with "database is
///   locked" (a transaction that reads before it writes must begin with `immediate_transaction` for that: see
///   [`Error::Busy`]);
/// - write-ahead logging, which the file keeps from then on, so that readers and a writer do not wait for each other
///   at all (a database in memory stays as it is);
/// - `synchronous = FULL`: a committed entry survives a power cut. A host that sets `NORMAL` afterwards
///   commits faster, and trades for it what was committed in the last moments before the power went; a crash of
///   the server alone loses nothing under either;
/// - incremental vacuum in a database that has nothing in it yet, which it keeps from then on, so that
///   [`reclaim`](crate::reclaim) can shrink its file;
/// - foreign keys are enforced, for the host's own tables: the log has none.
///
/// ```
/// use diesel::prelude::*;
///
/// # fn main() -> activity_log::Result<()> {
/// let mut conn = SqliteConnection::establish(":memory:")?;
/// activity_log::configure(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Database`] when a setting fails, and inside a transaction, where nothing is set; [`Error::Busy`] when other
/// connections kept the database busy throughout the timeout; [`Error::JournalMode`] when the database cannot have a
/// write-ahead log.
pub fn configure(conn: &mut SqliteConnection) -> Result<()> {
    if in_transaction(conn)? {
        // SQLite would take some of the settings and drop the others.
        return Err(AlreadyInTransaction.into());
    }
    set_busy_timeout(conn, BUSY_TIMEOUT)?;
    if file_space(conn)?.pages == 0 {
        // Only before the first write, which switching to write-ahead logging is.
        conn.batch_execute("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    match while_busy(BUSY_TIMEOUT, || Ok(ask_for_wal(conn)?))?.as_str() {
        "wal" | "memory" => {}
        mode => return Err(Error::JournalMode { mode: mode.to_owned() }),
    }
    conn.batch_execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    Ok(())
}
