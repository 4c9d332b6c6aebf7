//! Long work under the write lock, in batches so short that they hold nobody up.

use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::prelude::*;

use crate::error::Result;
use crate::sqlite::busy::{retry_while_busy, without_busy_timeout};

/// How long one batch should hold the lock. The cost of a row varies a hundredfold among disks and indexes, so the size of
/// a batch follows from the time that the last one took.
const LOCK_TIME: Duration = Duration::from_millis(20);
/// How many busy timeouts a batch may wait for the lock. Nobody waits for this work, and beside a writer that hardly ever
/// releases the lock it may take long to catch the moment.
const PATIENCE: u32 = 12;
const MIN_SIZE: i64 = 50;

/// Calls `work` with the size of each batch until it returns that nothing is left to do, and pauses between batches.
///
/// A batch that finds the database busy has done nothing and is repeated.
pub(crate) fn in_throttled_batches(
    conn: &mut SqliteConnection,
    first_size: i64,
    mut work: impl FnMut(&mut SqliteConnection, i64) -> Result<bool>,
) -> Result<()> {
    without_busy_timeout(conn, |conn, busy_timeout| {
        let mut size = first_size;
        loop {
            let mut started = Instant::now();
            let has_more = retry_while_busy(busy_timeout * PATIENCE, || {
                started = Instant::now();
                work(conn, size)
            })?;
            let lock_time = started.elapsed();
            if !has_more {
                return Ok(());
            }
            // As long as the batch took, so that a waiting writer is served before the next one.
            sleep(lock_time);
            size = next_size(size, lock_time);
        }
    })
}

/// The size that should take [`LOCK_TIME`], at least half and at most twice the last one.
fn next_size(size: i64, lock_time: Duration) -> i64 {
    let ratio = (LOCK_TIME.as_secs_f64() / lock_time.as_secs_f64().max(f64::MIN_POSITIVE)).clamp(0.5, 2.0);
    ((size as f64 * ratio).round() as i64).max(MIN_SIZE)
}

#[cfg(test)]
mod tests {
    use super::{Duration, next_size};

    #[test]
    fn the_next_batch_should_take_the_lock_time_at_the_speed_of_the_last() {
        for (milliseconds, next) in
            [(20, 1_000), (16, 1_250), (25, 800), (10, 2_000), (1, 2_000), (40, 500), (4_000, 500)]
        {
            assert_eq!(next_size(1_000, Duration::from_millis(milliseconds)), next, "{milliseconds} ms");
        }
        assert_eq!(next_size(1_000, Duration::ZERO), 2_000);
        assert_eq!(next_size(60, Duration::from_secs(1)), 50);
    }
}
