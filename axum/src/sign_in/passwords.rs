//! Checks passwords, a few at once.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use password_auth::VerifyError;
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
pub(crate) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CHECKS_AT_ONCE)))
    }
}

impl Passwords {
    /// Whether a password belongs to a hash. Without a hash, the answer is no and takes as long.
    pub(crate) async fn check(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        let busy = || ApiError::unavailable("too many people are signing in; try again");
        let turn = timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await.map_err(|_| busy())?;
        let turn = turn.map_err(|_| busy())?;
        let check = move || {
            // The check goes on when nobody waits for it any more.
            let _turn = turn;
            match password_auth::verify_password(password, hash.as_ref().unwrap_or(&OF_NOBODY)) {
                Ok(()) => Ok(hash.is_some()),
                Err(VerifyError::PasswordInvalid) => Ok(false),
                Err(VerifyError::Parse(error)) => {
                    Err(ApiError::internal(format!("the hash of a password cannot be read: {error}")))
                }
            }
        };
        spawn_blocking(check).await?
    }
}
