//! Sessions of browsers. They are in memory, so a restart of the server signs everybody out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::sign_in::identity::Identity;

/// The cookie that a browser keeps for its session.
pub(crate) const COOKIE: &str = "activity_log_session";

/// When there would be more, the one that was used least recently ends.
const MAX_SESSIONS: usize = 10_000;

/// How long a session lasts without a request.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a session lasts in any case.
const AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Who has signed in, and with what.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) who: Identity,
    /// The session ends once the user has another one. `None` for those who signed in with the server's token.
    pub(crate) password_hash: Option<String>,
}

#[derive(Debug)]
struct Session {
    signed_in: SignedIn,
    began: Instant,
    used: Instant,
}

/// The sessions by the hash of their cookie, so that nobody who reads the server's memory gets a cookie.
#[derive(Debug)]
pub(crate) struct Sessions {
    idle: Duration,
    age: Duration,
    /// What the cookie has besides.
    attributes: &'static str,
    sessions: Mutex<HashMap<[u8; 32], Session>>,
}

impl Default for Sessions {
    fn default() -> Self {
        // Without `Secure`, because a browser might not send such a cookie to a server on this machine over plain HTTP.
        Self { idle: IDLE, age: AGE, attributes: "Path=/; HttpOnly; SameSite=Strict", sessions: Mutex::default() }
    }
}

impl Sessions {
    pub(crate) fn with_idle_timeout(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    pub(crate) fn with_max_age(self, age: Duration) -> Self {
        Self { age, ..self }
    }

    pub(crate) fn with_secure_cookie(self) -> Self {
        Self { attributes: "Path=/; HttpOnly; SameSite=Strict; Secure", ..self }
    }

    fn lasts(&self, session: &Session) -> bool {
        session.used.elapsed() < self.idle && session.began.elapsed() < self.age
    }

    /// Begins a session; returns the header `Set-Cookie`.
    pub(crate) fn begin(&self, signed_in: SignedIn) -> String {
        let cookie = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        let now = Instant::now();
        let mut sessions = self.lock();
        sessions.retain(|_, session| self.lasts(session));
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&cookie), Session { signed_in, began: now, used: now });
        self.set_cookie(&cookie, self.age)
    }

    /// Who has signed in by the browser that sends these headers.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let sessions = self.lock();
        let mut found = cookies(headers).filter_map(|cookie| sessions.get(&hash(cookie)));
        found.find(|session| self.lasts(session)).map(|session| session.signed_in.clone())
    }

    /// Begins the idle timeout of the browser's session anew.
    pub(crate) fn prolong(&self, headers: &HeaderMap) {
        let mut sessions = self.lock();
        for cookie in cookies(headers) {
            if let Some(session) = sessions.get_mut(&hash(cookie)).filter(|session| self.lasts(session)) {
                session.used = Instant::now();
            }
        }
    }

    /// Ends the sessions of the browser that sends these headers; returns whether there was any.
    pub(crate) fn end(&self, headers: &HeaderMap) -> bool {
        let mut sessions = self.lock();
        cookies(headers).filter(|cookie| sessions.remove(&hash(cookie)).is_some()).count() > 0
    }

    /// The header `Set-Cookie` that removes the cookie.
    pub(crate) fn forget(&self) -> String {
        self.set_cookie("", Duration::ZERO)
    }

    fn set_cookie(&self, value: &str, age: Duration) -> String {
        format!("{COOKIE}={value}; {}; Max-Age={}", self.attributes, age.as_secs())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::COOKIE).into_iter().filter_map(|list| list.to_str().ok());
    lists
        .flat_map(|list| list.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter_map(|(name, value)| (name == COOKIE).then_some(value))
}
