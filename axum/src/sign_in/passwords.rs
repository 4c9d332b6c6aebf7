//! Checks passwords, a few at once.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::error::ApiError;

/// Each check takes 19 MiB of memory, and a core for some dozen milliseconds.
const CHECKS_AT_ONCE: usize = 2;

/// How long a check waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a password is compared with when there is no such user, so that the answer takes as long.
static OF_NOBODY: LazyLock<String> = LazyLock::new(|| password_auth::generate_hash(rand::random::<u128>().to_string()));

#[derive(Debug)]
pub(crate) struct Passwords(Semaphore);

impl Default for Passwords {
    fn default() -> Self {
        Self(Semaphore::new(CHECKS_AT_ONCE))
    }
}

impl Passwords {
    /// Whether a password belongs to a hash. Without a hash, the answer is no and takes as long.
    pub(crate) async fn check(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        let busy = || ApiError::unavailable("too many people sign in; try again");
        let turn = timeout(PATIENCE, self.0.acquire()).await.map_err(|_| busy())?;
        let _turn = turn.map_err(|_| busy())?;
        let check = move || {
            let is_right = password_auth::verify_password(password, hash.as_ref().unwrap_or(&OF_NOBODY)).is_ok();
            is_right && hash.is_some()
        };
        Ok(spawn_blocking(check).await?)
    }
}
