//! Whether there is a user yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::error::ApiError;
use crate::sign_in::users::Users;

/// How long "there is none" holds.
const HOLDS: Duration = Duration::from_secs(1);

/// Once there is a first user, everybody signs in, also on a server that was started before.
#[derive(Debug, Default)]
pub(crate) struct FirstUser {
    is_known: AtomicBool,
    looked: RwLock<Option<Instant>>,
}

impl FirstUser {
    /// Whether a user is known.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    /// Whether there is a user, without waiting; `None` if somebody has to look.
    pub(crate) fn is_there_lately(&self) -> Option<bool> {
        let looked = self.looked.try_read().ok()?;
        (self.is_known() || is_recent(*looked)).then(|| self.is_known())
    }

    /// Whether there is a user. This call blocks, also while another one looks: nobody passes meanwhile.
    pub(crate) fn is_there(&self, users: &dyn Users) -> Result<bool, ApiError> {
        let mut looked = self.looked.write().unwrap_or_else(PoisonError::into_inner);
        if !self.is_known() && !is_recent(*looked) {
            self.is_known.store(!users.is_empty()?, Ordering::Relaxed);
            *looked = Some(Instant::now());
        }
        Ok(self.is_known())
    }
}

fn is_recent(looked: Option<Instant>) -> bool {
    looked.is_some_and(|looked| looked.elapsed() < HOLDS)
}
