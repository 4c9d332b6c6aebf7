//! Slows down those who guess passwords.
//!
//! After a few failures, the next attempt of the same address, or for the same name from anywhere, has to wait; twice as
//! long after each further failure. A user who has signed in from an address before has a separate count there, so nobody
//! else's failures make them wait.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// After this many failures, the next attempt has to wait a second.
const FREE: u32 = 4;
const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// How long failures are remembered.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

/// When there would be more, the one of longest ago is forgotten.
const MAX_KEYS: usize = 10_000;

/// A name, as a hash of a fixed length, an address, or the name of somebody who has signed in from the address.
type Key = (Option<[u8; 32]>, Option<IpAddr>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    number: u32,
    last: Instant,
}

impl Failures {
    fn wait(self) -> Duration {
        let wait = match self.number.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(more) => Duration::from_secs(1 << more.min(16)).min(MAX_WAIT),
        };
        wait.saturating_sub(self.last.elapsed())
    }
}

/// Failed attempts to sign in.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failures: Mutex<HashMap<Key, Failures>>,
    refused: AtomicU64,
}

/// An attempt that is under way.
#[derive(Debug)]
pub(crate) struct Attempt {
    name: [u8; 32],
    address: Option<IpAddr>,
    keys: Vec<Key>,
}

impl Attempts {
    /// Begins an attempt, which counts as failed until it succeeds: others at the same moment cannot all pass.
    ///
    /// Fails with the time to wait, and then nothing is counted.
    pub(crate) fn begin(&self, name: &str, address: Option<IpAddr>) -> Result<Attempt, Duration> {
        let (has_name, name, address) = (!name.is_empty(), Sha256::digest(name).into(), address.map(network));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let by_themselves = (Some(name), address);
        let keys = match failures.contains_key(&by_themselves) {
            true => vec![by_themselves],
            // The token, which comes without a name, is too long to be guessed from many addresses.
            false => {
                let (of_name, of_address) = ((Some(name), None), address.map(|address| (None, Some(address))));
                (has_name || address.is_none()).then_some(of_name).into_iter().chain(of_address).collect()
            }
        };
        let wait = keys.iter().filter_map(|key| failures.get(key)).map(|failures| failures.wait()).max();
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            self.failed();
            return Err(wait);
        }
        for key in &keys {
            let known = failures.get(key).filter(|failures| failures.last.elapsed() < MEMORY);
            let number = known.map_or(0, |failures| failures.number);
            count(&mut failures, *key, number.saturating_add(1));
        }
        Ok(Attempt { name, address, keys })
    }

    /// Counts an attempt that failed or came too soon.
    pub(crate) fn failed(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// How many attempts were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Forgets that an attempt began, because nothing is known about its password.
    pub(crate) fn abandoned(&self, attempt: &Attempt) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &attempt.keys {
            if let Some(failures) = failures.get_mut(key) {
                failures.number = failures.number.saturating_sub(1);
            }
        }
    }

    /// Forgets that an attempt began, and remembers who has signed in from where.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        self.abandoned(&attempt);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut failures, (Some(attempt.name), attempt.address), 0);
    }
}

fn count(failures: &mut HashMap<Key, Failures>, key: Key, number: u32) {
    if failures.len() >= MAX_KEYS && !failures.contains_key(&key) {
        failures.retain(|_, failures| failures.last.elapsed() < MEMORY);
        let oldest = failures.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| *key);
        if let Some(oldest) = oldest.filter(|_| failures.len() >= MAX_KEYS) {
            failures.remove(&oldest);
        }
    }
    failures.insert(key, Failures { number, last: Instant::now() });
}

/// What one customer of a provider has: an IPv4 address, or the first half of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}
