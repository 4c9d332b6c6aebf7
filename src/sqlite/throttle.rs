//! Long work under the write lock, in batches so short that they hold nobody up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::busy::{retry_unless, without_busy_timeout};
use crate::store::pace::{Pace, pause};

/// How many busy timeouts a batch may wait for the lock. Nobody waits for this work, and beside a writer that hardly
/// ever releases the lock it may take long to catch the moment.
const PATIENCE: u32 = 12;

/// Calls `work` with the size of each batch until it returns that nothing is left to do or `stop` is set, and pauses
/// between batches.
///
/// A batch that finds the database busy has done nothing and is repeated.
pub(crate) fn in_throttled_batches(
    conn: &mut SqliteConnection,
    first_size: i64,
    stop: &AtomicBool,
    mut work: impl FnMut(&mut SqliteConnection, i64) -> Result<bool>,
) -> Result<()> {
    let mut pace = Pace::new(first_size);
    loop {
        let (has_more, lock_time) = in_one_batch(conn, stop, |conn| work(conn, pace.size()))?;
        if !has_more {
            return Ok(());
        }
        pause(lock_time, stop);
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        pace.adjust(lock_time);
    }
}

/// Does one batch of such work, and returns how long the batch held the lock. While the database is busy, it waits for
/// up to twelve busy timeouts or until `stop` is set.
pub(crate) fn in_one_batch<T>(
    conn: &mut SqliteConnection,
    stop: &AtomicBool,
    mut work: impl FnMut(&mut SqliteConnection) -> Result<T>,
) -> Result<(T, Duration)> {
    without_busy_timeout(conn, |conn, busy_timeout| {
        let mut started = Instant::now();
        let value = retry_unless(stop, busy_timeout.saturating_mul(PATIENCE), || {
            started = Instant::now();
            work(conn)
        })?;
        Ok((value, started.elapsed()))
    })
}
