//! Whether there is a user yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::error::ApiError;
use crate::sign_in::users::Users;

/// How long "there is no user" holds.
const HOLDS: Duration = Duration::from_secs(1);

/// Once there is a first user, everybody signs in, also on a server that was started before.
#[derive(Debug, Default)]
pub(crate) struct FirstUser {
    is_known: AtomicBool,
    looked: RwLock<Option<Look>>,
}

/// A look that found no user, or failed.
#[derive(Debug)]
struct Look {
    ended: Instant,
    failure: Option<ApiError>,
}

impl FirstUser {
    /// Whether a user is known.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    /// Whether there is a user, without waiting; `None` if somebody has to look.
    pub(crate) fn is_there_lately(&self) -> Option<bool> {
        let looked = self.looked.try_read().ok()?;
        (self.is_known() || looked.as_ref().is_some_and(Look::holds)).then(|| self.is_known())
    }

    /// Whether there is a user. This call blocks, also while another one looks: nobody passes meanwhile.
    pub(crate) fn is_there(&self, users: &dyn Users) -> Result<bool, ApiError> {
        let asked = Instant::now();
        let mut looked = self.looked.write().unwrap_or_else(PoisonError::into_inner);
        match &*looked {
            _ if self.is_known() => return Ok(true),
            Some(look) if look.holds() => return Ok(false),
            // Those who waited for a look that failed do not look one after another.
            Some(Look { ended, failure: Some(failure) }) if *ended >= asked => return Err(failure.clone()),
            _ => {}
        }
        let is_empty = users.is_empty();
        let failure = is_empty.as_ref().err().cloned();
        *looked = Some(Look { ended: Instant::now(), failure });
        self.is_known.store(!is_empty?, Ordering::Relaxed);
        Ok(self.is_known())
    }
}

impl Look {
    fn holds(&self) -> bool {
        self.failure.is_none() && self.ended.elapsed() < HOLDS
    }
}
