//! Sessions of browsers. They are in memory, so a restart of the server signs everybody out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::identity::Identity;

/// The cookie that a browser keeps for its session.
pub(crate) const COOKIE: &str = "activity_log_session";

/// When there would be more, the one that was used least recently ends.
const MAX_SESSIONS: usize = 10_000;

/// How long sessions last.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Lifetime {
    /// After how many seconds without a request a browser has to sign in again
    #[arg(long, value_name = "SECONDS", default_value_t = 12 * 60 * 60)]
    session_idle: u32,

    /// After how many seconds a browser has to sign in again in any case
    #[arg(long, value_name = "SECONDS", default_value_t = 7 * 24 * 60 * 60)]
    session_age: u32,
}

impl Lifetime {
    fn includes(&self, session: &Session) -> bool {
        session.used.elapsed() < Duration::from_secs(self.session_idle.into())
            && session.began.elapsed() < Duration::from_secs(self.session_age.into())
    }
}

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
    lifetime: Lifetime,
    sessions: Mutex<HashMap<[u8; 32], Session>>,
}

impl Sessions {
    pub(crate) fn new(lifetime: Lifetime) -> Self {
        Self { lifetime, sessions: Mutex::default() }
    }

    /// Begins a session; returns the header `Set-Cookie`.
    pub(crate) fn begin(&self, signed_in: SignedIn) -> String {
        let cookie = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        let now = Instant::now();
        let mut sessions = self.lock();
        sessions.retain(|_, session| self.lifetime.includes(session));
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&cookie), Session { signed_in, began: now, used: now });
        set_cookie(&cookie, self.lifetime.session_age)
    }

    /// Who has signed in by the browser that sends these headers. This prolongs the session.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let mut sessions = self.lock();
        cookies(headers).find_map(|cookie| {
            let session = sessions.get_mut(&hash(cookie)).filter(|session| self.lifetime.includes(session))?;
            session.used = Instant::now();
            Some(session.signed_in.clone())
        })
    }

    /// Ends the sessions of the browser that sends these headers; returns the header `Set-Cookie`.
    pub(crate) fn end(&self, headers: &HeaderMap) -> String {
        let mut sessions = self.lock();
        for cookie in cookies(headers) {
            sessions.remove(&hash(cookie));
        }
        set_cookie("", 0)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}

/// Without `Secure`, because a browser might not send such a cookie to a server on this machine over plain HTTP.
fn set_cookie(value: &str, seconds: u32) -> String {
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}")
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::COOKIE).into_iter().filter_map(|list| list.to_str().ok());
    lists
        .flat_map(|list| list.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter_map(|(name, value)| (name == COOKIE).then_some(value))
}
