//! Long work under the write lock, in steps so short that nobody else is held up.

use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::prelude::*;

use crate::Result;
use crate::sqlite::{while_busy, without_waiting};

/// How long one step should hold the lock. What a row costs differs a hundredfold among disks and indexes, so the size
/// of a step follows from the time that the last one took.
const LOCK_TIME: Duration = Duration::from_millis(20);
/// How many busy timeouts a step may wait for the lock: nobody waits for this work, and beside a writer that hardly ever
/// lets go it may take long to meet the moment.
const PATIENCE: u32 = 12;
const SMALLEST_STEP: i64 = 50;

/// Calls `step` with a size until it says that nothing is left to do, with pauses between.
///
/// A step that finds the database busy has done nothing, and is called again.
pub(crate) fn in_short_steps(
    conn: &mut SqliteConnection,
    first_size: i64,
    mut step: impl FnMut(&mut SqliteConnection, i64) -> QueryResult<bool>,
) -> Result<()> {
    without_waiting(conn, |conn, busy_timeout| {
        let mut size = first_size;
        loop {
            let mut started = Instant::now();
            let more = while_busy(busy_timeout * PATIENCE, || {
                started = Instant::now();
                Ok(step(conn, size)?)
            })?;
            let lock_time = started.elapsed();
            if !more {
                return Ok(());
            }
            // As long as the step took: a writer that waits is served before the next one.
            sleep(lock_time);
            size = next_size(size, lock_time);
        }
    })
}

/// The size that should take [`LOCK_TIME`], at most twice or half the last.
fn next_size(size: i64, lock_time: Duration) -> i64 {
    let ratio = (LOCK_TIME.as_secs_f64() / lock_time.as_secs_f64().max(f64::MIN_POSITIVE)).clamp(0.5, 2.0);
    ((size as f64 * ratio).round() as i64).max(SMALLEST_STEP)
}

#[cfg(test)]
mod tests {
    use super::{Duration, next_size};

    #[test]
    fn the_next_step_takes_the_wanted_time_at_the_pace_of_the_last() {
        for (milliseconds, next) in
            [(20, 1_000), (16, 1_250), (25, 800), (10, 2_000), (1, 2_000), (40, 500), (4_000, 500)]
        {
            assert_eq!(next_size(1_000, Duration::from_millis(milliseconds)), next, "{milliseconds} ms");
        }
        assert_eq!(next_size(1_000, Duration::ZERO), 2_000);
        assert_eq!(next_size(60, Duration::from_secs(1)), 50);
    }
}
