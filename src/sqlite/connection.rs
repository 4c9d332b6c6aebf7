use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::ConnectionError;
use diesel::result::Error::AlreadyInTransaction;

use crate::error::{Error, Result};
use crate::sqlite::busy::retry_while_busy;
use crate::sqlite::pragma::{enable_wal, file_space, set_busy_timeout};
use crate::sqlite::transaction::is_in_transaction;

/// How long SQLite waits, on a configured connection, for a lock that another connection holds.
///
/// Recording outside a transaction then retries for as long again, more often, before it gives up with [`Error::Busy`].
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a database with the settings of [`configure`].
///
/// `database_url` is a path, a `file:`, `sqlite:` or `sqlite://` URL, or `:memory:` for a database that lives as long
/// as the connection. A missing file is created; a missing folder is not. The URL of another kind of database is
/// refused. (Connections that share a database in memory with `cache=shared` do not wait for each other, whatever their
/// busy timeout.)
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
/// [`Error::Connection`] if the file cannot be opened, and those of [`configure`].
pub fn connect(database_url: &str) -> Result<SqliteConnection> {
    if database_url.contains('\0') {
        // Diesel's error would quote the whole URL, a password included.
        return Err(ConnectionError::BadConnection("the URL contains a U+0000".to_owned()).into());
    }
    let mut conn = match database_url.split_once(':') {
        // As in the `.env` files of other libraries. SQLite would take it for the name of a file.
        Some(("sqlite", rest)) if !rest.starts_with("//") => SqliteConnection::establish(&format!("file:{rest}"))?,
        Some((scheme, rest)) if rest.starts_with("//") && scheme.len() > 1 && !["file", "sqlite"].contains(&scheme) => {
            return Err(ConnectionError::InvalidConnectionUrl("the URL is not of an SQLite database".to_owned()).into());
        }
        _ => SqliteConnection::establish(database_url)?,
    };
    configure(&mut conn)?;
    Ok(conn)
}

/// Applies the settings that an activity log wants to a connection that the host opened or pools:
///
/// - A busy timeout of [`BUSY_TIMEOUT`]: writers wait for each other instead of failing with "database is locked". (A
///   transaction that reads before it writes must begin with `immediate_transaction` for that: see [`Error::Busy`].)
/// - Write-ahead logging, which the file keeps from then on: readers and a writer do not wait for each other at all. (A
///   database in memory stays as it is.)
/// - `synchronous = FULL`: a committed entry survives a power cut. A host that sets `NORMAL` afterwards commits faster
///   and risks what was committed in the last moments before a power cut. A crash of the server alone loses nothing
///   either way.
/// - Incremental vacuum in a database that is still empty, which it keeps from then on: [`reclaim`](crate::reclaim) can
///   shrink its file.
/// - Foreign keys are enforced, for the host's own tables: the log has none.
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
/// [`Error::Database`] if a setting fails, and inside a transaction, where nothing is set; [`Error::Busy`] if other
/// connections kept the database busy throughout the timeout; [`Error::JournalMode`] if the database cannot use a
/// write-ahead log.
pub fn configure(conn: &mut SqliteConnection) -> Result<()> {
    if is_in_transaction(conn)? {
        // SQLite would apply some of the settings and ignore the others.
        return Err(AlreadyInTransaction.into());
    }
    set_busy_timeout(conn, BUSY_TIMEOUT)?;
    if file_space(conn)?.pages == 0 {
        // This works only before the first write, and switching to write-ahead logging is a write.
        conn.batch_execute("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    match retry_while_busy(BUSY_TIMEOUT, || Ok(enable_wal(conn)?))?.as_str() {
        "wal" | "memory" => {}
        mode => return Err(Error::JournalMode { mode: mode.to_owned() }),
    }
    conn.batch_execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    Ok(())
}
