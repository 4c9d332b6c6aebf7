//! Signing in with a name and a password, for hosts that have no sign-in of their own.

mod attempts;
mod first_user;
mod form;
mod guard;
mod identity;
mod passwords;
mod sessions;
mod token;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use activity_log::{ActorContextLayer, NewActivityLogEntry, Recorder};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tower::ServiceBuilder;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};

pub use self::identity::Identity;
pub use self::users::{InvalidCredentials, Users, hash_password};

use self::attempts::Attempts;
use self::first_user::FirstUser;
use self::passwords::Passwords;
use self::sessions::{COOKIE, Sessions, SignedIn};
use self::token::Token;
use crate::error::ApiError;
use crate::headers;
use crate::host::require_one_host;
use crate::origin::refuse_other_sites;

/// How long an answer waits for its entry: nobody has to wait for a database that is busy.
const RECORDED_WITHIN: Duration = Duration::from_secs(1);

/// Signs people in with a name and a password, and programs with a token, for hosts that have no sign-in of their own:
/// behind the feature `sign-in`.
///
/// Sign-ins, sign-outs and failed sign-ins are recorded with the client's address. After four failures, an address has to
/// wait for a second before its next attempt, and twice as long after each further failure, up to 15 minutes; so does
/// everybody who tries the same name. A user who has signed in from an address before has a separate count there, so
/// others' failures do not keep them out.
///
/// A session's cookie has 256 random bits, and is `HttpOnly` and `SameSite=Strict`. The session ends on signing out,
/// when the user's password changes or the user is removed, after its [`idle_timeout`](Self::idle_timeout) or
/// [`max_age`](Self::max_age), and when the server stops: sessions are in memory, at most ten thousand. A live stream
/// ends within ten seconds of its session.
///
/// Failed attempts are counted by the address in [`ConnectInfo`](axum::extract::ConnectInfo), which
/// [`into_make_service_with_connect_info`](Router::into_make_service_with_connect_info) provides, and without it by the
/// name alone. Behind a proxy, all clients have its address: limit attempts there as well. Guesses of the token in the
/// header `Authorization` are not slowed, so give it at least 20 random characters.
///
/// ```
/// use std::sync::Arc;
///
/// use activity_log::Recorder;
/// use activity_log_axum::{ApiError, SignIn, Users, Viewer, hash_password};
/// use axum::Router;
/// # use diesel::r2d2::{ConnectionManager, Pool};
///
/// /// A server with one administrator.
/// struct Administrator {
///     password_hash: String,
/// }
///
/// impl Users for Administrator {
///     fn password_hash(&self, name: &str) -> Result<Option<String>, ApiError> {
///         Ok((name == "admin").then(|| self.password_hash.clone()))
///     }
///
///     fn is_empty(&self) -> Result<bool, ApiError> {
///         Ok(false)
///     }
/// }
///
/// # fn mount(pool: Pool<ConnectionManager<impl activity_log_axum::Backend>>, password: String, recorder: Recorder)
/// # -> Result<Router, Box<dyn std::error::Error>> {
/// let users = Administrator { password_hash: hash_password("admin", &password)? };
/// let sign_in = Arc::new(SignIn::new(users, recorder));
/// let viewer = Viewer::new(pool).sign_in(&sign_in).into_router();
/// let app = sign_in.protect(Router::new().nest("/activity", viewer));
/// # Ok(app)
/// # }
/// ```
pub struct SignIn {
    users: Arc<dyn Users>,
    recorder: Recorder,
    token: Option<Token>,
    first_user: FirstUser,
    admits_this_machine: bool,
    public_paths: Vec<String>,
    sessions: Sessions,
    attempts: Attempts,
    passwords: Passwords,
}

impl SignIn {
    /// Where people sign in. The parameter `next` is the path on this server to which they are redirected afterwards.
    pub const SIGN_IN_PATH: &str = "/sign-in";

    /// Where a POST signs a browser out.
    pub const SIGN_OUT_PATH: &str = "/sign-out";

    const STYLE: &str = "/sign-in/style.css";

    /// Signs these users in, and records what they do with their sessions.
    pub fn new(users: impl Users, recorder: Recorder) -> Self {
        Self {
            users: Arc::new(users),
            recorder,
            token: None,
            first_user: FirstUser::default(),
            admits_this_machine: false,
            public_paths: Vec::new(),
            sessions: Sessions::default(),
            attempts: Attempts::default(),
            passwords: Passwords::default(),
        }
    }

    /// Admits programs that send this token as `Authorization: Bearer`. They may act for others. Where there are no
    /// users, the page asks people for the token.
    ///
    /// # Errors
    ///
    /// [`InvalidCredentials`] if the token is empty or has a character other than the visible ones of ASCII.
    pub fn token(self, token: &str) -> Result<Self, InvalidCredentials> {
        Ok(Self { token: Some(Token::new(token)?), ..self })
    }

    /// As long as there are neither users nor a token, admits every request that comes from this machine and names it
    /// in `Host`, and trusts what it says about who acts. Where a request comes from is known with
    /// [`ConnectInfo`](axum::extract::ConnectInfo) only, so such a server must listen on loopback addresses: see
    /// [`is_open`](Self::is_open).
    ///
    /// A first user is noticed within a second.
    #[must_use]
    pub fn admit_this_machine(self) -> Self {
        Self { admits_this_machine: true, ..self }
    }

    /// How long a session lasts without a request; 12 hours by default.
    #[must_use]
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        Self { sessions: self.sessions.with_idle_timeout(timeout), ..self }
    }

    /// The longest that a session lasts; a week by default. The cookie has it in whole seconds.
    #[must_use]
    pub fn max_age(self, age: Duration) -> Self {
        Self { sessions: self.sessions.with_max_age(age), ..self }
    }

    /// Marks the session's cookie `Secure`, so that browsers send it over HTTPS only. Use it on a server that is
    /// reached over HTTPS only.
    #[must_use]
    pub fn secure_cookie(self) -> Self {
        Self { sessions: self.sessions.with_secure_cookie(), ..self }
    }

    /// Lets everybody read this path, such as that of a viewer's `/healthz`.
    #[must_use]
    pub fn public_path(mut self, path: impl Into<String>) -> Self {
        self.public_paths.push(path.into());
        self
    }

    /// Whether everybody on this machine is admitted. May block.
    ///
    /// # Errors
    ///
    /// Those of [`Users::is_empty`].
    pub fn is_open(&self) -> Result<bool, ApiError> {
        Ok(self.may_be_open() && !self.first_user.is_there(&*self.users)?)
    }

    /// How many attempts to sign in were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.attempts.refused()
    }

    /// Where one signs out, unless nobody needs to sign in.
    pub(crate) fn sign_out_url(&self) -> Option<&'static str> {
        (!self.may_be_open() || self.first_user.is_known()).then_some(Self::SIGN_OUT_PATH)
    }

    /// Adds the routes to sign in and out to the host's, and guards all of them. Call it on the outermost router,
    /// because the paths begin at its root. A layer outside of it, such as one that logs requests, does not know who
    /// makes them.
    ///
    /// Who makes a request is an extension of it, as an [`Identity`] and as an [`Actor`](crate::Actor), which a viewer
    /// finds there, and the actor of the current [`ActorContext`](activity_log::ActorContext), with the client's address.
    /// A browser that has to sign in is led to the page for it, and other requests are answered with 401.
    ///
    /// A request that does not name one host is refused, as [`require_one_host`] does it, and one of another site's
    /// pages, as [`refuse_other_sites`] does it.
    ///
    /// # Panics
    ///
    /// If the host has a route of its own at [`SIGN_IN_PATH`](Self::SIGN_IN_PATH) or
    /// [`SIGN_OUT_PATH`](Self::SIGN_OUT_PATH).
    pub fn protect(self: Arc<Self>, routes: Router) -> Router {
        let own = Router::new()
            .route(Self::SIGN_IN_PATH, get(form::show).post(form::sign_in))
            .route(Self::SIGN_OUT_PATH, post(form::sign_out))
            .route(Self::STYLE, get(form::style))
            .layer(from_fn(headers::strict_headers))
            .with_state(Arc::clone(&self));
        routes.merge(own).layer(
            // From the outermost to the innermost.
            ServiceBuilder::new()
                .layer(from_fn(require_one_host))
                .layer(from_fn(refuse_other_sites))
                .layer(from_fn_with_state(self, guard::guard))
                .layer(ActorContextLayer::new(identity::context_of)),
        )
    }

    pub(crate) fn takes_token(&self) -> bool {
        self.token.is_some()
    }

    fn may_be_open(&self) -> bool {
        self.admits_this_machine && self.token.is_none()
    }

    async fn check(&self, name: &str, password: String) -> Result<Option<SignedIn>, ApiError> {
        if name.is_empty() {
            let is_right = self.token.as_ref().is_some_and(|token| token.is(&password));
            return Ok(is_right.then_some(SignedIn { who: Identity::Trusted, password_hash: None }));
        }
        let password_hash = if users::is_name(name) { self.password_hash(name.to_owned()).await? } else { None };
        let is_right = self.passwords.check(password, password_hash.clone()).await?;
        Ok(is_right.then(|| SignedIn { who: Identity::User(name.to_owned()), password_hash }))
    }

    async fn password_hash(&self, name: String) -> Result<Option<String>, ApiError> {
        let users = Arc::clone(&self.users);
        spawn_blocking(move || users.password_hash(&name)).await?
    }

    /// Records an entry, and waits a moment for the database. Once the recorder has the entry, it reports what it cannot
    /// write.
    async fn record(&self, entry: NewActivityLogEntry) {
        let action = entry.action.clone();
        match timeout(RECORDED_WITHIN, self.recorder.record_when_room(entry)).await {
            Ok(Ok(receipt)) => _ = timeout(RECORDED_WITHIN, receipt).await,
            Ok(Err(refused)) => tracing::error!("{action} was not recorded: {}", refused.reason()),
            Err(_) => tracing::error!("{action} was not recorded: the recorder's queue is full"),
        }
    }
}

/// Describes how clients sign in.
pub(crate) fn describe(whole: &mut Description) {
    let components = whole.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    let none = || <[&str; 0]>::default();
    whole.security = Some(vec![SecurityRequirement::new("token", none()), SecurityRequirement::new("cookie", none())]);
}

impl fmt::Debug for SignIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignIn").field("public_paths", &self.public_paths).finish_non_exhaustive()
    }
}
