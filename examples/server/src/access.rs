//! What admits a request: the server's token or a user, or nothing on a server that only this machine reaches.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What admits a request. Only a hash of the token is kept: it has a fixed length, so comparing it reveals nothing about
/// the token.
pub(crate) struct Access {
    token: Option<[u8; 32]>,
    has_users: AtomicBool,
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Access").field("has_users", &self.has_users).finish_non_exhaustive()
    }
}

impl Access {
    pub(crate) fn new(token: Option<&str>) -> Result<Self, &'static str> {
        match token {
            Some("") => Err("the token is empty: set a long random token, or none"),
            Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("the token must consist of visible ASCII characters, because clients send it in an HTTP header")
            }
            token => Ok(Self { token: token.map(|token| Sha256::digest(token).into()), has_users: false.into() }),
        }
    }

    /// Fails if the server would listen beyond loopback and admit anyone.
    pub(crate) fn check_address(&self, listen: SocketAddr) -> Result<(), String> {
        if listen.ip().is_loopback() || !self.is_open() {
            return Ok(());
        }
        Err(format!(
            "refuses to listen on {listen} without a token, because other machines can reach it: set a token with \
             ACTIVITY_LOG_TOKEN or --token, add a user with --add-user, or listen on 127.0.0.1"
        ))
    }

    /// From now on, users sign in.
    pub(crate) fn require_users(&self) {
        self.has_users.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_users(&self) -> bool {
        self.has_users.load(Ordering::Relaxed)
    }

    /// Whether everybody on this machine is admitted.
    pub(crate) fn is_open(&self) -> bool {
        self.token.is_none() && !self.has_users()
    }

    pub(crate) fn is_token(&self, text: &str) -> bool {
        self.token.is_some_and(|token| Sha256::digest(text).ct_eq(&token).into())
    }
}
