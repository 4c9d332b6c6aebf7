//! How a host builds a viewer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use activity_log::{EntryLimits, Recorder, Redactor};
use axum::Router;
use diesel::r2d2::{ConnectionManager, Pool};
use http::request::Parts;
use utoipa::openapi::OpenApi;

use crate::actor::{Actor, ActorOf};
use crate::app::{App, Shared, SignInsRefused};
use crate::database::Database;
use crate::database::backend::Backend;
use crate::database::pool::PooledLog;
use crate::links::{Links, safe};
use crate::live::{self, Live, Stopping};
use crate::permits::Permits;
use crate::recording::Recording;
use crate::retention::Retention;
use crate::router;
use crate::routes::Routes;
#[cfg(feature = "sign-in")]
use crate::sign_in::{SignIn, describe};
use crate::unreadable::UnreadableRows;
use crate::viewer_json::{Home, Settings};

const TITLE: &str = "Activity log";

const CLIENT_PATIENCE: Duration = Duration::from_secs(60);

type Describe = Box<dyn FnOnce(&mut OpenApi) + Send>;

/// The page and the API of a log, to be mounted by a host. [`into_router`](Self::into_router) completes it.
///
/// ```
/// use activity_log_axum::{Actor, Routes, Viewer};
/// # use diesel::r2d2::{ConnectionManager, Pool};
/// #[derive(Clone)]
/// struct User(String);
///
/// # fn mount(pool: Pool<ConnectionManager<impl activity_log_axum::Backend>>) -> axum::Router {
/// let viewer = Viewer::new(pool)
///     .title("Lamps: activity")
///     // The layer that signs users in has put the user into the extensions of the request.
///     .actor(|request| match request.extensions.get::<User>() {
///         Some(User(name)) => Actor::named(name),
///         None => Actor::named("anonymous"),
///     })
///     .routes(Routes::default().clear())
///     .link_entity(|entity_type, id| (entity_type == "lamp").then(|| format!("/lamps/{id}")))
///     .into_router();
/// axum::Router::new().nest("/admin/activity", viewer)
/// # }
/// ```
#[must_use]
pub struct Viewer {
    database: Database,
    recorder: Option<Recorder>,
    actor: ActorOf,
    links: Links,
    routes: Routes,
    is_read_only: bool,
    limits: EntryLimits,
    redactor: Redactor,
    settings: Settings,
    retention: Option<Arc<dyn Retention>>,
    sign_ins_refused: Option<SignInsRefused>,
    stopping: Stopping,
    client_patience: Duration,
    describe: Describe,
}

impl Viewer {
    /// A viewer of the log in the database of this pool. It does not migrate the database: call `run_migrations` of
    /// `activity-log` first.
    ///
    /// Of the pool's connections, exports take at most half, up to four; counts at most half, up to two; live streams
    /// at most half, up to two; each at least one. Writing takes one more. A request waits for a connection up to three
    /// seconds, or as long as the pool waits if that is less. A pool of one connection works; but while it exports,
    /// everything else is answered with 503.
    pub fn new<C: Backend>(pool: Pool<ConnectionManager<C>>) -> Self {
        Self {
            database: Database::new(Arc::new(PooledLog::new(pool))),
            recorder: None,
            actor: ActorOf::default(),
            links: Links::default(),
            routes: Routes::default(),
            is_read_only: false,
            limits: EntryLimits::default(),
            redactor: Redactor::default(),
            settings: Settings {
                title: TITLE.to_owned(),
                sign_in_url: None,
                sign_out_url: Box::new(|| None),
                takes_token: false,
                home: None,
            },
            retention: None,
            sign_ins_refused: None,
            stopping: live::never(),
            client_patience: CLIENT_PATIENCE,
            describe: Box::new(|_| ()),
        }
    }

    /// Records through the host's recorder, and shows what that commits immediately after the commit. Without one,
    /// entries are recorded on a connection of the pool.
    ///
    /// Either way, entries that other threads and processes commit are shown within a second. The recorder has limits
    /// and a redactor of its own, which apply instead of [`limits`](Self::limits) and [`redactor`](Self::redactor).
    pub fn recorder(self, recorder: Recorder) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    /// Who makes a request: for entries about exports, clearing and changes of the retention, and for posted
    /// ones. What a client says itself counts only as far as the [`Actor`] allows.
    ///
    /// The function gets the request without its body, as the layers of the host have left it. Its URI begins at the
    /// mount point. Without this function, an [`Actor`] among the extensions of the request acts, or else the actor of the
    /// current [`ActorContext`](activity_log::ActorContext), or else `anonymous`.
    pub fn actor(self, from_request: impl Fn(&Parts) -> Actor + Send + Sync + 'static) -> Self {
        Self { actor: ActorOf::new(from_request), ..self }
    }

    /// Which routes there are; [`Routes::default`] by default. The page hides what is off, and a request for it is
    /// answered with 404 or 405.
    pub fn routes(self, routes: Routes) -> Self {
        Self { routes, ..self }
    }

    /// Writes nothing at all, whatever [`routes`](Self::routes) says: nothing can be recorded or cleared, and **exports
    /// are not recorded**. For a database user that may only read.
    pub fn read_only(self) -> Self {
        Self { is_read_only: true, ..self }
    }

    /// The title of the page; "Activity log" by default.
    pub fn title(self, title: impl Into<String>) -> Self {
        Self { settings: Settings { title: title.into(), ..self.settings }, ..self }
    }

    /// Where the page leads a reader whose requests the host answers with 401. The page adds a parameter `next`, the path
    /// and the query of its own address.
    ///
    /// Like all links, it must be a relative URL, or one with the scheme `http` or `https`; any other is left out.
    pub fn sign_in_url(self, url: impl Into<String>) -> Self {
        Self { settings: Settings { sign_in_url: safe(url.into()), ..self.settings }, ..self }
    }

    /// Where the page's button "Sign out" sends a POST; without it, there is no such button. The URL must be on
    /// this server: the page's content security policy allows no other.
    pub fn sign_out_url(self, url: impl Into<String>) -> Self {
        let url = safe(url.into());
        Self { settings: Settings { sign_out_url: Box::new(move || url.clone()), ..self.settings }, ..self }
    }

    /// Uses this `SignIn`: the page links to where one signs in and out, `openapi.json` describes it, and operators see
    /// how many attempts were refused. Mount the viewer among the routes that are passed to
    /// [`protect`](SignIn::protect).
    #[cfg(feature = "sign-in")]
    pub fn sign_in(self, sign_in: &Arc<SignIn>) -> Self {
        let (signing_out, refusing) = (Arc::clone(sign_in), Arc::clone(sign_in));
        let sign_out_url = Box::new(move || signing_out.sign_out_url().map(ToOwned::to_owned));
        let viewer =
            self.sign_in_url(SignIn::SIGN_IN_PATH).sign_ins_refused(move || refusing.refused()).describe(describe);
        Self { settings: Settings { sign_out_url, takes_token: sign_in.takes_token(), ..viewer.settings }, ..viewer }
    }

    /// The host's own page, to which the page links by this label. The URL is as [`sign_in_url`](Self::sign_in_url) has
    /// it.
    pub fn link_home(self, label: impl Into<String>, url: impl Into<String>) -> Self {
        let home = safe(url.into()).map(|url| Home { label: label.into(), url });
        Self { settings: Settings { home, ..self.settings }, ..self }
    }

    /// The host's page about an entity, by its type and id. Entries have it as `links.entity`, and the page shows it.
    ///
    /// It must be a relative URL, or one with the scheme `http` or `https`; any other is left out. On the page, a
    /// relative one begins at the page's address, so begin it with a slash. The function is called for each entry and must
    /// not block.
    pub fn link_entity(self, link: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { links: Links { entity: Some(Arc::new(link)), ..self.links }, ..self }
    }

    /// The host's page about an actor. Entries have it as `links.actor`, and the page shows it.
    ///
    /// It must be a URL as [`link_entity`](Self::link_entity) has it.
    pub fn link_actor(self, link: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { links: Links { actor: Some(Arc::new(link)), ..self.links }, ..self }
    }

    /// Limits the size of posted entries; [`EntryLimits::default`] by default. A [`recorder`](Self::recorder) has
    /// limits of its own.
    pub fn limits(self, limits: EntryLimits) -> Self {
        Self { limits, ..self }
    }

    /// Masks secrets in the metadata of posted entries. A [`recorder`](Self::recorder) has a redactor of its own.
    pub fn redactor(self, redactor: Redactor) -> Self {
        Self { redactor, ..self }
    }

    /// How long the host keeps entries: shows its settings and its last run, and lets clients change the settings if
    /// [`routes`](Self::routes) has [`change_retention`](Routes::change_retention).
    pub fn retention(self, retention: impl Retention) -> Self {
        Self { retention: Some(Arc::new(retention)), ..self }
    }

    /// How many attempts to sign in the host has refused since its start, for the status that an operator sees.
    pub fn sign_ins_refused(self, refused: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { sign_ins_refused: Some(Arc::new(refused)), ..self }
    }

    /// Ends the live streams once `stop` resolves. Without it they last as long as their clients, so a server that stops
    /// gracefully would wait for them.
    pub fn stop_streams_when(self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { stopping: live::stopping(stop), ..self }
    }

    /// How long a client may take to receive a part of an export or of a stream before it is disconnected: a minute by
    /// default.
    pub fn client_patience(self, patience: Duration) -> Self {
        Self { client_patience: patience, ..self }
    }

    /// Reads the log on the threads that serve requests, as [`block_in_place`](tokio::task::block_in_place) allows it, and
    /// not on others. Where all cores are busy, waking another thread takes longer than to read a page: beside 64 clients
    /// that record, pages come in two thirds of the time.
    ///
    /// It has no effect on a runtime of one thread. Do not use it where the router runs in a
    /// [`LocalSet`](tokio::task::LocalSet).
    ///
    /// # Panics
    ///
    /// Requests panic in a `LocalSet` on a runtime of several threads, because tokio does not allow it there.
    pub fn read_in_place(self) -> Self {
        Self { database: self.database.with_reads_in_place(), ..self }
    }

    /// Changes the description at `openapi.json`, such as to add the host's own routes and how its clients sign in.
    pub fn describe(self, describe: impl FnOnce(&mut OpenApi) + Send + 'static) -> Self {
        let before = self.describe;
        let describe = Box::new(|description: &mut OpenApi| {
            before(description);
            describe(description);
        });
        Self { describe, ..self }
    }

    /// The routes, to be mounted at any path with `nest`, or at the root with `merge` or, in a router that has a fallback
    /// of its own, with `fallback_service`.
    ///
    /// Nested at `/admin/activity`, the page is there and not at `/admin/activity/`, as axum has it; `nest_service` serves
    /// both, and takes its place in a router with a state.
    pub fn into_router(self) -> Router {
        let Self { database, recorder, actor, links, is_read_only, retention, client_patience, .. } = self;
        let routes = if is_read_only { self.routes.without_writes() } else { self.routes };
        let live = Live::new(database.clone(), recorder.clone(), self.stopping);
        let recording =
            Recording { database: database.clone(), recorder, limits: self.limits, redactor: Arc::new(self.redactor) };
        let app = App::new(Shared {
            permits: Permits::new(database.max_connections()),
            database,
            recording,
            live,
            actor,
            links,
            routes,
            writes: !is_read_only,
            retention,
            sign_ins_refused: self.sign_ins_refused,
            unreadable: UnreadableRows::default(),
            client_patience,
        });
        router::router(app, self.settings, self.describe)
    }
}

impl fmt::Debug for Viewer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { routes, is_read_only, settings, .. } = self;
        formatter
            .debug_struct("Viewer")
            .field("routes", routes)
            .field("is_read_only", is_read_only)
            .field("title", &settings.title)
            .finish_non_exhaustive()
    }
}

/// A viewer with the defaults: clients can read and export, and whoever the host lets through may do both.
///
/// The same as `Viewer::new(pool).into_router()`: see [`Viewer`].
pub fn viewer<C: Backend>(pool: Pool<ConnectionManager<C>>) -> Router {
    Viewer::new(pool).into_router()
}
