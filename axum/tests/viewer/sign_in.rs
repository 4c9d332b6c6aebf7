//! Signing in, where the viewer's crate does it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use activity_log::{Recorder, RecorderOptions};
use activity_log_axum::{ApiError, Identity, InvalidCredentials, SignIn, Users, Viewer, hash_password};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Extension};
use axum::http::{Request, StatusCode, request};
use axum::routing::get;
use serde_json::json;
use tokio::spawn;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::database::Log;
use crate::viewer::TestResult;
use crate::viewer::host::{Answer, LOG, messages, send};

const PASSWORD: &str = "lamps in the hall";

/// The hashes of users' passwords by their names.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<HashMap<String, String>>>, Arc<AtomicBool>);

impl Names {
    /// From now on, nobody can be looked up, or everybody can.
    fn fail(&self, fails: bool) {
        self.1.store(fails, Ordering::Relaxed);
    }

    fn add(&self, name: &str) -> TestResult {
        let hash = hash_password(name, PASSWORD)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), hash);
        Ok(())
    }

    fn remove(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Users for Names {
    fn password_hash(&self, name: &str) -> Result<Option<String>, ApiError> {
        if self.1.load(Ordering::Relaxed) {
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not now"));
        }
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn is_empty(&self) -> Result<bool, ApiError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty())
    }
}

/// A host whose viewer is at `/activity`, with a page of its own.
struct Host {
    _log: Log,
    users: Names,
    router: Router,
}

impl Host {
    fn new(options: impl FnOnce(SignIn) -> SignIn) -> TestResult<Self> {
        let log = Log::create()?;
        let connect = log.connector();
        let recorder = Recorder::start(connect, RecorderOptions::new())?;
        let users = Names::default();
        let sign_in = Arc::new(options(SignIn::new(users.clone(), recorder)));
        let viewer = Viewer::new(log.pool(4)?).sign_in(&sign_in).into_router();
        let name = async |Extension(who): Extension<Identity>| who.name().to_owned();
        let public = async |who: Option<Extension<Identity>>| match who {
            Some(Extension(who)) => who.name().to_owned(),
            None => "nobody".to_owned(),
        };
        let routes = Router::new().nest("/activity", viewer).route("/name", get(name)).route("/public", get(public));
        Ok(Self { _log: log, users, router: sign_in.protect(routes) })
    }

    fn with_alice(options: impl FnOnce(SignIn) -> SignIn) -> TestResult<Self> {
        let host = Self::new(options)?;
        host.users.add("alice")?;
        Ok(host)
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> TestResult<Answer> {
        let request = Request::get(path).header("host", "localhost");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        send(&self.router, request.body(Body::empty())?).await
    }

    async fn sign_in(&self, name: &str, password: &str) -> TestResult<Answer> {
        send(&self.router, sent_form(name, password, |request| request.header("host", "localhost"))?).await
    }

    /// The cookie of a new session of alice.
    async fn session(&self) -> TestResult<String> {
        let answer = self.sign_in("alice", PASSWORD).await?;
        let cookie = answer.header("set-cookie").split_once(';').ok_or(answer.text.clone())?.0;
        Ok(cookie.to_owned())
    }

    /// The body of a stream that is open.
    async fn stream(&self, cookie: &str) -> TestResult<Body> {
        let request = Request::get(format!("/activity{LOG}/stream")).header("host", "localhost");
        let stream = self.router.clone().oneshot(request.header("cookie", cookie).body(Body::empty())?).await?;
        assert_eq!(stream.status(), StatusCode::OK);
        Ok(stream.into_body())
    }

    async fn status(&self, path: &str, cookie: &str) -> TestResult<StatusCode> {
        Ok(self.get(path, &[("cookie", cookie)]).await?.status)
    }
}

/// The request of a form to sign in, with more headers.
fn sent_form(
    name: &str,
    password: &str,
    with_headers: impl FnOnce(request::Builder) -> request::Builder,
) -> TestResult<Request<Body>> {
    let form = format!("name={name}&password={}", password.replace(' ', "+"));
    let request = Request::post(SignIn::SIGN_IN_PATH).header("content-type", "application/x-www-form-urlencoded");
    Ok(with_headers(request).body(form.into())?)
}

#[tokio::test]
async fn who_has_signed_in_reads_the_log_and_is_known_to_the_host() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    let log = format!("/activity{LOG}");
    assert_eq!(host.status(&log, "").await?, StatusCode::UNAUTHORIZED);
    assert_eq!(host.status("/name", "").await?, StatusCode::UNAUTHORIZED);

    let cookie = host.session().await?;
    assert_eq!(host.get("/name", &[("cookie", &cookie)]).await?.text, "alice");
    let export = format!("{log}/export");
    assert_eq!(host.status(&export, &cookie).await?, StatusCode::OK);
    let page = host.get(&log, &[("cookie", &cookie)]).await?.json;
    assert_eq!(messages(&page), ["alice exported the activity log as ndjson", "alice signed in"]);
    assert_eq!(page["entries"][0]["actor"], "alice");
    Ok(())
}

#[tokio::test]
async fn the_viewer_knows_where_readers_sign_in_and_out() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    let cookie = host.session().await?;
    let page = host.get("/activity/viewer.json", &[("cookie", &cookie)]).await?.json;
    assert_eq!((&page["sign_in_url"], &page["sign_out_url"]), (&json!("/sign-in"), &json!("/sign-out")));
    assert_eq!(page["takes_token"], false);
    let with_token = Host::new(|sign_in| match sign_in.token("a-token-that-is-long-enough") {
        Ok(sign_in) => sign_in,
        Err(error) => panic!("{error}"),
    })?;
    let bearer = ("authorization", "Bearer a-token-that-is-long-enough");
    assert_eq!(with_token.get("/activity/viewer.json", &[bearer]).await?.json["takes_token"], true);
    let status = host.get(&format!("/activity{LOG}/status"), &[("cookie", &cookie)]).await?.json;
    assert_eq!(status["sign_ins_refused"], 0);
    let description = host.get("/activity/openapi.json", &[("cookie", &cookie)]).await?.json;
    assert_eq!(description["security"], json!([{"token": []}, {"cookie": []}]));
    Ok(())
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in.idle_timeout(Duration::from_secs(2)))?;
    let cookie = host.session().await?;
    for _ in 0..4 {
        sleep(Duration::from_millis(700)).await;
        assert_eq!(host.status("/name", &cookie).await?, StatusCode::OK);
    }
    sleep(Duration::from_millis(2_100)).await;
    assert_eq!(host.status("/name", &cookie).await?, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn a_session_ends_at_its_greatest_age_even_if_it_is_used() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in.max_age(Duration::from_secs(2)))?;
    let cookie = host.session().await?;
    for expected in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
        sleep(Duration::from_millis(1_100)).await;
        assert_eq!(host.status("/name", &cookie).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_session_ends_when_its_user_is_removed() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    host.users.add("bob")?;
    let cookie = host.session().await?;
    host.users.remove("alice");
    assert_eq!(host.status("/name", &cookie).await?, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn where_https_is_required_the_cookie_says_so() -> TestResult {
    let host = Host::with_alice(SignIn::secure_cookie)?;
    let answer = host.sign_in("alice", PASSWORD).await?;
    assert!(answer.header("set-cookie").contains("; Secure;"), "{}", answer.header("set-cookie"));
    Ok(())
}

#[tokio::test]
async fn without_users_nobody_is_admitted_unless_the_host_says_so() -> TestResult {
    let host = Host::new(|sign_in| sign_in)?;
    assert_eq!(host.status("/name", "").await?, StatusCode::UNAUTHORIZED);
    assert_eq!(host.sign_in("alice", PASSWORD).await?.status, StatusCode::UNAUTHORIZED);

    let open = Host::new(SignIn::admit_this_machine)?;
    assert_eq!(open.get("/name", &[]).await?.text, "anonymous");
    let elsewhere = Request::get("/name").header("host", "example.com").body(Body::empty())?;
    assert_eq!(send(&open.router, elsewhere).await?.status, StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test]
async fn a_first_user_ends_the_time_without_signing_in() -> TestResult {
    let host = Host::new(SignIn::admit_this_machine)?;
    assert!(host.get("/activity/viewer.json", &[]).await?.json["sign_out_url"].is_null());
    host.users.add("alice")?;
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(host.status("/name", "").await?, StatusCode::UNAUTHORIZED);
    let cookie = host.session().await?;
    let page = host.get("/activity/viewer.json", &[("cookie", &cookie)]).await?.json;
    assert_eq!(page["sign_out_url"], "/sign-out");

    host.users.remove("alice");
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(host.status("/name", "").await?, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn everybody_may_read_a_public_path_and_nobody_may_do_more() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in.public_path("/activity/healthz"))?;
    assert_eq!(host.status("/activity/healthz", "").await?, StatusCode::OK);
    let post = Request::post("/activity/healthz").header("host", "localhost").body(Body::empty())?;
    assert_eq!(send(&host.router, post).await?.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn attempts_from_one_address_are_slowed_and_those_from_another_are_not() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    let attempt = async |number: u8, address: [u8; 4], name: String| -> TestResult<StatusCode> {
        let client = ConnectInfo(SocketAddr::from((address, 1)));
        let with_client = |request: request::Builder| request.header("host", "localhost").extension(client);
        Ok(send(&host.router, sent_form(&name, &format!("{number}-wrong"), with_client)?).await?.status)
    };
    for number in 0..4 {
        assert_eq!(attempt(number, [192, 0, 2, 1], format!("user{number}")).await?, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt(4, [192, 0, 2, 1], "user4".to_owned()).await?, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(attempt(5, [192, 0, 2, 2], "user5".to_owned()).await?, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn where_no_address_is_known_attempts_are_slowed_by_the_name_alone() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    for _ in 0..4 {
        assert_eq!(host.sign_in("alice", "a wrong one").await?.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(host.sign_in("alice", PASSWORD).await?.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(host.sign_in("bob", "a wrong one").await?.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn attempts_without_a_name_are_slowed_too() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    for _ in 0..4 {
        assert_eq!(host.sign_in("", "a guess").await?.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(host.sign_in("", "a guess").await?.status, StatusCode::TOO_MANY_REQUESTS);
    Ok(())
}

#[tokio::test]
async fn an_attempt_that_the_server_cannot_judge_does_not_count() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    host.users.fail(true);
    for _ in 0..6 {
        assert_eq!(host.sign_in("alice", PASSWORD).await?.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    host.users.fail(false);
    assert_eq!(host.sign_in("alice", PASSWORD).await?.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[tokio::test]
async fn a_stream_ends_after_its_user_has_signed_out() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    let cookie = host.session().await?;
    let stream = host.stream(&cookie).await?;
    let out = Request::post(SignIn::SIGN_OUT_PATH).header("host", "localhost").header("cookie", &cookie);
    assert_eq!(send(&host.router, out.body(Body::empty())?).await?.status, StatusCode::SEE_OTHER);
    timeout(Duration::from_secs(20), to_bytes(stream, usize::MAX)).await??;
    Ok(())
}

#[tokio::test]
async fn a_stream_that_stays_open_is_no_use_of_its_session() -> TestResult {
    // The stream looks at its session every ten seconds.
    let host = Host::with_alice(|sign_in| sign_in.idle_timeout(Duration::from_secs(12)))?;
    let cookie = host.session().await?;
    let stream = spawn(to_bytes(host.stream(&cookie).await?, usize::MAX));
    sleep(Duration::from_secs(13)).await;
    assert!(!stream.is_finished(), "the stream ended while its session lasted");
    assert_eq!(host.status("/name", &cookie).await?, StatusCode::UNAUTHORIZED);
    timeout(Duration::from_secs(10), stream).await???;
    Ok(())
}

#[tokio::test]
async fn a_public_path_tells_who_has_signed_in() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in.public_path("/public"))?;
    let cookie = host.session().await?;
    assert_eq!(host.get("/public", &[]).await?.text, "nobody");
    assert_eq!(host.get("/public", &[("cookie", &cookie)]).await?.text, "alice");
    host.users.fail(true);
    assert_eq!(host.get("/public", &[("cookie", &cookie)]).await?.text, "nobody");
    Ok(())
}

#[tokio::test]
async fn a_server_with_users_answers_to_any_name_from_its_first_request_on() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in.admit_this_machine().public_path("/public"))?;
    let request = Request::get("/public").header("host", "log.example.com").body(Body::empty())?;
    assert_eq!(send(&host.router, request).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn a_server_without_users_refuses_other_machines_whatever_they_call_it() -> TestResult {
    let host = Host::new(SignIn::admit_this_machine)?;
    for (address, status) in [([192, 0, 2, 1], StatusCode::FORBIDDEN), ([127, 0, 0, 1], StatusCode::OK)] {
        let client = ConnectInfo(SocketAddr::from((address, 1)));
        let request = Request::get("/name").header("host", "localhost").extension(client).body(Body::empty())?;
        assert_eq!(send(&host.router, request).await?.status, status);
    }
    Ok(())
}

#[tokio::test]
async fn a_form_of_the_own_page_is_accepted_from_browsers_that_say_no_more_than_its_origin() -> TestResult {
    let host = Host::with_alice(|sign_in| sign_in)?;
    let page = host.get(SignIn::SIGN_IN_PATH, &[]).await?;
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let request = sent_form("alice", PASSWORD, |request| {
        request.header("host", "192.0.2.1:8080").header("origin", "http://192.0.2.1:8080")
    })?;
    assert_eq!(send(&host.router, request).await?.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[test]
fn what_nobody_could_sign_in_with_is_refused() {
    assert_eq!(hash_password("", PASSWORD), Err(InvalidCredentials::Name));
    assert_eq!(hash_password(&"x".repeat(201), PASSWORD), Err(InvalidCredentials::Name));
    assert_eq!(hash_password("a\u{7}b", PASSWORD), Err(InvalidCredentials::Name));
    assert_eq!(hash_password("anonymous", PASSWORD), Err(InvalidCredentials::Name));
    assert_eq!(hash_password("alice", "7 bytes"), Err(InvalidCredentials::Password));
    assert!(hash_password("alice", "8 bytes!").is_ok());
}
