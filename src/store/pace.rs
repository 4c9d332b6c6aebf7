//! How large the next batch of a long piece of work is, and how long to pause before it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long one batch should take. The cost of a row varies a hundredfold among disks and indexes, so the size of a
/// batch follows from the time that the last one took.
const BATCH_TIME: Duration = Duration::from_millis(20);
const MIN_SIZE: i64 = 50;
/// How soon a pause notices that it should end.
const NOTICE_INTERVAL: Duration = Duration::from_millis(5);

/// The pace of work in batches, each of which should hold a lock for no more than 20 ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    size: i64,
}

impl Pace {
    pub(crate) fn new(first_size: i64) -> Self {
        Self { size: first_size }
    }

    /// How many rows or pages the next batch should have.
    pub(crate) fn size(self) -> i64 {
        self.size
    }

    /// Chooses the size of the next batch by the time that the last one took.
    pub(crate) fn adjust(&mut self, batch_time: Duration) {
        let ratio = BATCH_TIME.as_secs_f64() / batch_time.as_secs_f64().max(f64::MIN_POSITIVE);
        self.size = ((self.size as f64 * ratio.clamp(0.5, 2.0)).round() as i64).max(MIN_SIZE);
    }
}

/// Pauses as long as a batch held the lock, so that a waiting writer is served before the next one. Ends early once
/// `stop` is set.
#[cfg(feature = "sqlite")]
pub(crate) fn pause(lock_time: Duration, stop: &AtomicBool) {
    let started = Instant::now();
    while let Some(left) = left_of_pause(started, lock_time, stop) {
        std::thread::sleep(left);
    }
}

/// How long to sleep before the next look at `stop`; `None` if the pause is over.
pub(crate) fn left_of_pause(started: Instant, lock_time: Duration, stop: &AtomicBool) -> Option<Duration> {
    let left = lock_time.checked_sub(started.elapsed()).filter(|left| !left.is_zero());
    left.filter(|_| !stop.load(Ordering::Relaxed)).map(|left| left.min(NOTICE_INTERVAL))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Pace};

    fn next_size(size: i64, batch_time: Duration) -> i64 {
        let mut pace = Pace::new(size);
        pace.adjust(batch_time);
        pace.size()
    }

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

    #[test]
    fn the_size_of_a_batch_never_overflows() {
        assert_eq!(next_size(i64::MAX, Duration::ZERO), i64::MAX);
    }
}
