//! Viewers that a host mounts below its own paths.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use activity_log::{ActivityLogRepository, NewActivityLogEntry};
use activity_log_axum::{Actor, Routes, Viewer, is_page_file};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::browser::{Browser, ROWS};
use crate::server::TestResult;

const LIVE: &str = "document.getElementById('live').textContent";

/// A log of a host's own.
pub(crate) struct Log {
    pub(crate) path: String,
    _folder: TempDir,
}

impl Log {
    pub(crate) fn create() -> TestResult<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.db").display().to_string();
        activity_log::run_migrations(&mut activity_log::connect(&path)?)?;
        Ok(Self { path, _folder: folder })
    }

    pub(crate) fn viewer(&self) -> TestResult<Viewer> {
        Ok(Viewer::new(Pool::new(ConnectionManager::<SqliteConnection>::new(&*self.path))?))
    }

    pub(crate) fn record(&self, message: &str) -> TestResult {
        let entry = NewActivityLogEntry::new("device", "device.updated", "alice", message).entity("lamp", "7");
        ActivityLogRepository::new(&mut activity_log::connect(&self.path)?).record(&entry)?;
        Ok(())
    }
}

/// Serves until the test ends; returns the address.
pub(crate) async fn serve(router: Router) -> TestResult<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn two_viewers_of_one_origin_show_and_follow_each_its_own_log() -> TestResult {
    let (one, two) = (Log::create()?, Log::create()?);
    let claimed = |_: &_| Actor::as_claimed();
    let router = Router::new()
        .nest("/one", one.viewer()?.title("One").actor(claimed).into_router())
        .nest_service("/deeply/nested/two", two.viewer()?.title("Two").actor(claimed).into_router());
    let address = serve(router).await?;
    one.record("Of one")?;
    two.record("Of two")?;

    let browser = Browser::open(&format!("{address}/one?categories=device")).await?;
    let first = browser.page().await?;
    browser.until_messages(&["Of one"]).await?;
    browser.until("document.title", "One").await?;
    browser.type_into("#exported-by", "Ada").await?;
    let second = browser.open_another(&format!("{address}/deeply/nested/two/?categories=device")).await?;
    browser.until_messages(&["Of two"]).await?;
    browser.until("document.querySelector('h1').textContent", "Two").await?;
    browser.until("document.getElementById('exported-by').value", "").await?;

    browser.until(LIVE, "Live").await?;
    two.record("News of two")?;
    browser.until_messages(&["News of two", "Of two"]).await?;
    browser.switch_to(&first).await?;
    browser.until(LIVE, "Live").await?;
    one.record("News of one")?;
    browser.until_messages(&["News of one", "Of one"]).await?;
    browser.switch_to(&second).await?;
    browser.until(ROWS, 2).await?;
    assert_eq!(browser.complaints()?, [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_page_hides_what_is_off_and_shows_the_links_of_the_host() -> TestResult {
    let log = Log::create()?;
    let viewer = log.viewer()?.routes(Routes::read_only()).link_actor(|actor| Some(format!("/users/{actor}")));
    let address = serve(Router::new().nest("/log", viewer.into_router())).await?;
    log.record("Linked")?;
    let browser = Browser::open(&format!("{address}/log")).await?;
    browser.until_messages(&["Linked"]).await?;
    assert_eq!(browser.value("document.getElementById('exports').hidden").await?, true);
    browser.click(".row .when").await?;
    let links = "[...document.querySelectorAll('.details a.button')].map((link) => [link.textContent, link.href])";
    let [expected] = [vec!["Open alice".to_owned(), format!("{address}/users/alice")]];
    browser.until(links, vec![serde_json::json!(expected)]).await
}

/// Refuses everything but the files of the page once the reader is signed out.
pub(crate) async fn guard(State(is_signed_in): State<Arc<AtomicBool>>, request: Request, next: Next) -> Response {
    if is_signed_in.load(Ordering::Relaxed) || is_page_file(request.uri().path()) {
        return next.run(request).await;
    }
    StatusCode::UNAUTHORIZED.into_response()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_reader_whose_session_ends_is_led_to_the_hosts_page_to_sign_in() -> TestResult {
    let log = Log::create()?;
    let is_signed_in = Arc::new(AtomicBool::new(true));
    let guard = from_fn_with_state(Arc::clone(&is_signed_in), guard);
    let viewer = log.viewer()?.sign_in_url("/sign-in").into_router().layer(guard);
    let address = serve(Router::new().nest("/log", viewer)).await?;
    log.record("Secret")?;
    let browser = Browser::open(&format!("{address}/log")).await?;
    browser.until_messages(&["Secret"]).await?;

    is_signed_in.store(false, Ordering::Relaxed);
    browser.press("Error").await?;
    browser.until("document.querySelector('#sign-in:not([hidden]) h2')?.textContent", "You are signed out").await?;
    let back = format!("{address}/sign-in?next=%2Flog%3Fseverities%3Derror");
    browser.until("document.querySelector('#sign-in a').href", back).await?;
    browser.until(ROWS, 0).await
}
