//! Puts the parts together: who may do what, the routes, and how the server starts and stops.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use activity_log::{ActivityCategory, NewActivityLogEntry, QueuePolicy, RecorderOptions, Redactor};
use activity_log_axum::{Routes, SignIn, strict_headers};
use any_database::Database;
use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::Response;
use axum_server::Handle;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tower::ServiceBuilder;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::{Span, debug, debug_span, error, warn};

use crate::arguments::Arguments;
use crate::devices;
use crate::retention::StoredRetention;
use crate::users::StoredUsers;

/// How long a client may take to send the head of a request, and how long a connection may be idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may pause while it sends a body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// How long running requests may take to finish when the server stops. Together with [`WRITE_GRACE`], this stays below the
/// 10 s after which Docker kills a container.
const REQUEST_GRACE: Duration = Duration::from_secs(5);

/// How long what is being recorded may take after that: it goes on even when its client has gone.
const WRITE_GRACE: Duration = Duration::from_secs(2);

/// Room for some of the largest bodies that the viewer accepts. Entries that wait are limited by their bytes alone.
const QUEUE_BYTES: usize = 128 << 20;

/// The keys of metadata that clients may send by mistake, and nobody must read in a log.
const SECRETS: &str = "password passwd secret token access_token refresh_token api_key authorization cookie set-cookie";

pub(crate) async fn serve(arguments: &Arguments, database: Database) -> Result<(), Box<dyn Error>> {
    let recorder = database.recorder(recorder_options())?;
    let sign_in = SignIn::new(StoredUsers(database.clone()), recorder.clone());
    let sign_in = sign_in.admit_this_machine().public_path("/healthz");
    let sign_in = Arc::new(arguments.token.iter().try_fold(sign_in, |sign_in, token| sign_in.token(token))?);
    let address = arguments.listen;
    if !address.ip().is_loopback() && sign_in.is_open()? {
        let problem = format!(
            "refuses to listen on {address} with neither a user nor a token, because other machines can reach it: add a \
             user with --add-user, set a token with ACTIVITY_LOG_TOKEN or --token, or listen on 127.0.0.1"
        );
        return Err(problem.into());
    }
    let listener = TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let handle = Handle::new();
    let (stopping, mut streams_stop) = watch::channel(false);
    // Before the URL is printed, because its reader may stop the server at once.
    ctrlc::set_handler({
        let handle = handle.clone();
        move || {
            stopping.send_replace(true);
            handle.graceful_shutdown(Some(REQUEST_GRACE));
        }
    })?;

    let viewer = database
        .viewer()?
        .read_in_place()
        .recorder(recorder.clone())
        .sign_in(&sign_in)
        .routes(Routes::default().record().clear().change_retention())
        .retention(StoredRetention::start(database.clone())?)
        .link_entity(|entity_type, id| (entity_type == "device").then(|| devices::url(id)))
        .link_home("Devices", devices::PATH)
        .stop_streams_when(async move { _ = streams_stop.wait_for(|stopping| *stopping).await });
    let routes = devices::router(database.clone()).fallback_service(viewer.into_router());
    let routes = with_layers(sign_in.protect(routes));

    let started = NewActivityLogEntry::here(
        ActivityCategory::System,
        "server_started",
        format!("The server started listening on {url}"),
    );
    recorder.record(started.metadata_value("url", &*url)).await?;
    println!("listening on {url}");

    let mut server = axum_server::from_tcp(listener)?.handle(handle).http1_only();
    server.http_builder().http1().header_read_timeout(HEAD_PATIENCE);
    server.serve(routes.into_make_service_with_connect_info::<SocketAddr>()).await?;

    // The receipt is of no interest: what is not recorded is reported.
    recorder.record(NewActivityLogEntry::here(ActivityCategory::System, "server_stopped", "The server stopped"));
    let unwritten = spawn_blocking(move || recorder.shutdown(WRITE_GRACE)).await?;
    for (entries, what) in [(&unwritten.entries, "not recorded"), (&unwritten.unclear, "perhaps not recorded")] {
        // As they can be sent to a server later.
        entries.iter().for_each(|entry| error!("{what}: {}", serde_json::json!(entry)));
    }
    // What is recorded is committed by now. If this fails, the next start completes it.
    if let Err(error) = spawn_blocking(move || database.close()).await? {
        warn!("cannot empty the write-ahead log: {error}");
    }
    match unwritten.entries.len() + unwritten.unclear.len() {
        0 => Ok(()),
        number => Err(format!("entries not recorded before the stop: {number}").into()),
    }
}

/// Whatever has gathered while it commits is the recorder's next transaction, so clients share the time that the disk
/// takes. Entries have the limits of the crate's defaults: they say what happened, and are no place for documents.
fn recorder_options() -> RecorderOptions {
    RecorderOptions::new()
        .queue_entries(usize::MAX)
        .queue_bytes(QUEUE_BYTES)
        .policy(QueuePolicy::Refuse)
        .redactor(Redactor::new(SECRETS.split(' ')))
        .on_failure(|failure| {
            // A database may stay away for hours, and the recorder tries at least once a second.
            if failure.attempts % 60 == 1 {
                error!("attempt {} to record failed: {}", failure.attempts, failure.error);
            }
        })
}

fn with_layers(routes: Router) -> Router {
    // Without the query, which may have what nobody else should read.
    let span = |request: &Request| debug_span!("request", method = %request.method(), path = request.uri().path());
    let answered = |response: &Response, time: Duration, _: &Span| {
        debug!(status = response.status().as_u16(), ?time, "answered");
    };
    let trace = TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(answered).on_failure(());
    let layers = ServiceBuilder::new().layer(trace).layer(from_fn(strict_headers));
    routes.layer(layers.layer(RequestBodyTimeoutLayer::new(BODY_PATIENCE)))
}
