//! What is different each time that a test runs.

use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

pub(crate) fn random(below: u64) -> u64 {
    RandomState::new().hash_one(()) % below
}

pub(crate) fn wait_up_to(longest: Duration) {
    sleep(longest * random(1_000) as u32 / 1_000);
}
