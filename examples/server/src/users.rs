//! Users and their passwords.

use std::error::Error;
use std::io::{IsTerminal, stdin};
use std::sync::LazyLock;
use std::time::Duration;

use activity_log::{ActivityCategory, NewActivityLogEntry};
use activity_log_axum::ApiError;
use axum::http::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::database::Database;

const MIN_PASSWORD_BYTES: usize = 8;
const MAX_NAME_BYTES: usize = 200;

/// Each check takes 19 MiB of memory, and a core for some dozen milliseconds.
const CHECKS_AT_ONCE: usize = 2;

/// How long a check waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a password is compared with when there is no such user, so that the answer takes as long.
static OF_NOBODY: LazyLock<String> = LazyLock::new(|| password_auth::generate_hash(rand::random::<u128>().to_string()));

/// Whether a user can have this name, which then fits into a log and a database of any kind.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.contains(char::is_control)
}

/// Adds a user, or changes the password of one, as standard input says.
pub(crate) fn add(database: &Database, name: &str) -> Result<(), Box<dyn Error>> {
    if !is_name(name) {
        return Err(format!("a name must have 1 to {MAX_NAME_BYTES} bytes and no control characters").into());
    }
    let password = read_password()?;
    if password.len() < MIN_PASSWORD_BYTES {
        return Err(format!("the password must have at least {MIN_PASSWORD_BYTES} bytes").into());
    }
    let hash = password_auth::generate_hash(password);
    database.run_now(|conn| {
        conn.transaction(|conn| {
            let (action, message) = match conn.password_hash(name)? {
                None => ("user.added", format!("Added the user {name}")),
                Some(_) => ("user.password_changed", format!("Changed the password of {name}")),
            };
            conn.put_user(name, &hash)?;
            let entry = NewActivityLogEntry::here(ActivityCategory::Auth, action, message);
            conn.record(&entry.entity("user", name).entity_name(name))
        })
    })?;
    Ok(())
}

/// The first line of standard input. A terminal does not show it.
fn read_password() -> Result<String, Box<dyn Error>> {
    if stdin().is_terminal() {
        return Ok(rpassword::prompt_password("Password: ")?);
    }
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Checks passwords, a few at once.
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
        let busy = || ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too many people sign in; try again");
        let turn = timeout(PATIENCE, self.0.acquire()).await.map_err(|_| busy())?;
        let _turn = turn.map_err(|_| busy())?;
        let check = move || {
            let is_right = password_auth::verify_password(password, hash.as_ref().unwrap_or(&OF_NOBODY)).is_ok();
            is_right && hash.is_some()
        };
        Ok(spawn_blocking(check).await?)
    }
}
