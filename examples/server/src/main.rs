//! An HTTP server that keeps an activity log: how a host uses the `activity-log` crate with axum and an r2d2 pool.
//!
//! The server records, lists, counts, exports and clears entries, and streams new ones. The page at `/` is for people,
//! `/openapi.json` describes the routes, and `README.md` describes the rest.
//!
//! Without users and a token, the server listens on this machine only, and every user of the machine has full access.

mod access;
mod app;
mod attempts;
mod body;
mod context;
mod database;
mod demo;
mod devices;
mod devices_page;
mod guard;
mod html;
mod identity;
mod recording;
mod retention;
mod routes;
mod serving;
mod sessions;
mod sign_in;
mod users;

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use activity_log::{ActivityCategory, NewActivityLogEntry};
use activity_log_axum::{Actor, Routes};
use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::access::Access;
use crate::app::{App, Shared};
use crate::attempts::Attempts;
use crate::database::Database;
use crate::identity::Identity;
use crate::retention::OwnRetention;
use crate::serving::{serve_until, stop_signal};
use crate::sessions::{Lifetime, Sessions};
use crate::users::Passwords;

/// Its threads do not wait for each other, as those of the system's allocator do when hundreds of clients record.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keeps an activity log in a SQLite file and serves it over HTTP.
#[derive(Debug, Parser)]
struct Arguments {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The SQLite file that holds the log, created when it is missing; or the URL of a PostgreSQL database
    #[arg(long, default_value = "activity-log.db")]
    database: String,

    /// The token that programs must send; it or a user is required to listen beyond this machine. Prefer the environment
    /// variable: other users of the machine can see the arguments of a process
    #[arg(long, env = "ACTIVITY_LOG_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// Add a user, or change the password of one, and exit; standard input has the password
    #[arg(long, value_name = "NAME")]
    add_user: Option<String>,

    #[command(flatten)]
    sessions: Lifetime,

    /// Fill an empty log with N plausible entries from the last 30 days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    demo: Option<u32>,

    /// What to say on standard error, such as `example_server=debug` for a line about each request
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    log: Targets,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(arguments.log.clone()).init();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("example-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let access = Access::new(arguments.token.as_deref())?;
    // A file that does not exist yet holds no users.
    if arguments.add_user.is_none() && !Database::may_exist(&arguments.database) {
        access.check_address(arguments.listen)?;
    }
    // Opening the database blocks, so it comes before the runtime starts.
    let database =
        Database::open(&arguments.database).map_err(|error| format!("cannot open {}: {error}", arguments.database))?;
    if let Some(name) = &arguments.add_user {
        return users::add(&database, name);
    }
    if database.run_now(|conn| conn.has_users())? {
        access.require_users();
    }
    access.check_address(arguments.listen)?;
    if let Some(number) = arguments.demo
        && !database.run_now(|conn| conn.fill(number))?
    {
        tracing::warn!("{} is not empty, so it is not filled for the demonstration", arguments.database);
    }
    runtime()?.block_on(serve(arguments.listen, database, access, Sessions::new(arguments.sessions)))
}

/// A runtime that serves pages quickly beside hundreds of clients that record.
///
/// Each thread serves its requests in turn, so there are more threads than cores: the operating system shares the cores
/// more fairly. And each thread soon looks for new requests, instead of after 61 steps of those that it knows.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(32).event_interval(4).enable_all().build()
}

async fn serve(
    address: SocketAddr,
    database: Database,
    access: Access,
    sessions: Sessions,
) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let url = format!("http://{}", listener.local_addr()?);
    // Before the URL is printed, because its reader may stop the server at once.
    let stop = stop_signal()?;
    let stopping = watch::Sender::new(false);
    let mut streams_stop = stopping.subscribe();
    let recorder = database.recorder(recording::options())?;
    let is_open = access.is_open();
    let attempts = Arc::new(Attempts::default());
    let refused = Arc::clone(&attempts);
    let viewer = database
        .viewer()
        .read_in_place()
        .recorder(recorder.clone())
        .routes(Routes::default().record().clear().change_retention())
        .retention(OwnRetention::start(database.clone())?)
        .actor(|request| request.extensions.get::<Identity>().map_or_else(|| Actor::named("anonymous"), Actor::from))
        .link_entity(|entity_type, id| (entity_type == "device").then(|| devices_page::url(id)))
        .link_home("Devices", devices_page::PATH)
        .sign_in_url(sign_in::PATH)
        .sign_ins_refused(move || refused.refused())
        .stop_streams_when(async move { _ = streams_stop.wait_for(|stopping| *stopping).await });
    let viewer = if is_open { viewer } else { viewer.sign_out_url(sign_in::OUT) };
    let app = App::new(Shared {
        database: database.clone(),
        recorder: recorder.clone(),
        access,
        sessions,
        attempts,
        passwords: Passwords::default(),
    });
    tokio::spawn(look_for_users(app.clone()));
    let router = routes::router(app, viewer);

    let started =
        own_entry("server_started", format!("The server started listening on {url}")).metadata_value("url", &*url);
    recorder.record(started).await?;
    println!("listening on {url}");

    serve_until(stop, listener, router, stopping).await?;

    let stopped = own_entry("server_stopped", "The server stopped");
    let unrecorded = recording::end_with(recorder, stopped, serving::WRITE_GRACE).await?;
    // What is recorded is committed by now. If the checkpoint fails, the next start completes it.
    match spawn_blocking(move || database.close()).await? {
        Ok(true) => {}
        Ok(false) => tracing::warn!("cannot empty the write-ahead log: another process uses the file"),
        Err(error) => tracing::warn!("cannot empty the write-ahead log: {error}"),
    }
    match unrecorded {
        0 => Ok(()),
        number => Err(format!("entries not recorded before the stop: {number}").into()),
    }
}

/// Once there is a first user, everybody signs in, also on a server that was started before.
async fn look_for_users(app: App) {
    while !app.access.has_users() {
        sleep(Duration::from_secs(1)).await;
        if app.database.run(|conn| conn.has_users()).await.unwrap_or(false) {
            app.access.require_users();
        }
    }
}

/// An entry about the server itself.
fn own_entry(action: &str, message: impl Into<String>) -> NewActivityLogEntry {
    NewActivityLogEntry::here(ActivityCategory::System, action, message)
}
