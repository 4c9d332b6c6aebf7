//! The host's users and their passwords.

use crate::actor::ANONYMOUS;
use crate::error::ApiError;

const MIN_PASSWORD_BYTES: usize = 8;
const MAX_NAME_BYTES: usize = 200;
const RESERVED: [&str; 2] = [ANONYMOUS, "system"];

/// The users of a host, wherever it keeps them. The methods may block.
pub trait Users: Send + Sync + 'static {
    /// The hash of a user's password, as [`hash_password`] made it; `None` if there is no such user.
    ///
    /// Called for each request of a browser that has signed in: the session ends when the hash changes.
    ///
    /// # Errors
    ///
    /// Any failure of the lookup; the client receives it.
    fn password_hash(&self, name: &str) -> Result<Option<String>, ApiError>;

    /// Whether there are no users yet. Called at most once a second until there is a user, and only with
    /// [`SignIn::token`](crate::SignIn::token) or [`SignIn::admit_this_machine`](crate::SignIn::admit_this_machine).
    /// The default implementation says that there are users.
    ///
    /// # Errors
    ///
    /// Any failure of the lookup; the client receives it.
    fn is_empty(&self) -> Result<bool, ApiError> {
        Ok(false)
    }
}

/// Why a name, a password or a token is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCredentials {
    /// The name is not acceptable.
    #[error(
        "a name must have 1 to {MAX_NAME_BYTES} bytes and no control characters, and not be `anonymous` or `system`"
    )]
    Name,
    /// The password is too short.
    #[error("the password must have at least {MIN_PASSWORD_BYTES} bytes")]
    Password,
    /// The token is empty.
    #[error("the token is empty: set a long random token, or none")]
    EmptyToken,
    /// The token has characters other than visible ASCII.
    #[error("the token must consist of visible ASCII characters, because clients send it in an HTTP header")]
    TokenCharacters,
}

/// The hash of the password of a user of this name, by Argon2id, to be stored. It takes 19 MiB of memory, and a core
/// for some dozen milliseconds.
///
/// # Errors
///
/// [`InvalidCredentials`] if the name has fewer than 1 or more than 200 bytes, has a control character, or is one that
/// the log has for nobody in particular (`anonymous`, `system`), or if the password has fewer than 8 bytes.
pub fn hash_password(name: &str, password: &str) -> Result<String, InvalidCredentials> {
    if !is_name(name) {
        return Err(InvalidCredentials::Name);
    }
    if password.len() < MIN_PASSWORD_BYTES {
        return Err(InvalidCredentials::Password);
    }
    Ok(password_auth::generate_hash(password))
}

/// Whether a user can have this name, which then fits into a log and a database of any kind.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.contains(char::is_control) && !RESERVED.contains(&text)
}
