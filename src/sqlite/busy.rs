//! Waiting for a lock that another connection holds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::result::Error::DatabaseError;

use crate::error::sqlite::LOCKED;
use crate::error::{Error, Result};
use crate::sqlite::pragma::{busy_timeout, set_busy_timeout};
use crate::sqlite::transaction::is_in_transaction;

/// About as long as a writer that records without a pause leaves the lock free between two commits.
const RETRY_INTERVAL: Duration = Duration::from_micros(100);

/// Runs `work` while SQLite's own waiting is off. `work` gets the busy timeout, to wait by other means.
pub(crate) fn without_busy_timeout<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection, Duration) -> Result<T>,
) -> Result<T> {
    let busy_timeout = busy_timeout(conn)?;
    set_busy_timeout(conn, Duration::ZERO)?;
    let outcome = work(conn, busy_timeout);
    let restored = set_busy_timeout(conn, busy_timeout);
    let value = outcome?;
    restored?;
    Ok(value)
}

/// Repeats `attempt` while another connection holds the lock, for at most `patience`.
///
/// SQLite's own waiting backs off to 100 ms and so hardly ever catches the moment when a busy writer releases the lock.
/// For a change of the journal mode it does not wait at all.
pub(crate) fn retry_while_busy<T>(patience: Duration, attempt: impl FnMut() -> Result<T>) -> Result<T> {
    retry_unless(&AtomicBool::new(false), patience, attempt)
}

/// Like [`retry_while_busy`], but gives up as soon as `stop` is set.
pub(crate) fn retry_unless<T>(
    stop: &AtomicBool,
    patience: Duration,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    let started = Instant::now();
    let is_patient = || started.elapsed() < patience && !stop.load(Ordering::Relaxed);
    loop {
        match attempt() {
            Err(Error::Busy(error)) if is_locked(&error) && is_patient() => sleep(RETRY_INTERVAL),
            outcome => return outcome,
        }
    }
}

/// Whether another connection holds the lock. The connection itself can lock a table too, which waiting does not end.
fn is_locked(error: &diesel::result::Error) -> bool {
    matches!(error, DatabaseError(_, information) if information.message() == LOCKED)
}

/// Writes. If SQLite has waited for its busy timeout in vain, as beside many writers that never pause, it retries for
/// as long again. Inside a caller's transaction it does not: the caller has to begin that again.
pub(crate) fn with_retry<T>(
    conn: &mut SqliteConnection,
    mut write: impl FnMut(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    // Asked first, because SQLite may have ended the transaction after a failure.
    let in_callers_transaction = is_in_transaction(conn)?;
    match write(conn) {
        Err(Error::Busy(_)) if !in_callers_transaction => {
            without_busy_timeout(conn, |conn, busy_timeout| retry_while_busy(busy_timeout, || write(conn)))
        }
        outcome => outcome,
    }
}
