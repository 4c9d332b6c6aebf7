//! A host of the activity log: an HTTP server with users, devices of its own, and the viewer of `activity-log-axum`.
//!
//! With neither users nor a token, it listens on this machine only, and every user of the machine has full access.

mod arguments;
mod devices;
mod retention;
mod server;
mod users;

use std::error::Error;
use std::process::ExitCode;

use any_database::Database;
use clap::Parser;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::prelude::*;

use crate::arguments::Arguments;

/// The tables of the server's own.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Its threads do not wait for each other, as those of the system's allocator do when hundreds of clients record.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    // Opening the database blocks, so it comes before the runtime starts.
    let database = Database::open(&arguments.database, MIGRATIONS)
        .map_err(|error| format!("cannot open {}: {error}", arguments.database))?;
    if let Some(name) = &arguments.add_user {
        return users::add(&database, name);
    }
    if let Some(number) = arguments.demo
        && !database.get()?.fill(demo_log::batches(number, chrono::Utc::now()))?
    {
        tracing::warn!("the log is not empty, so it is not filled for the demonstration");
    }
    runtime()?.block_on(server::serve(arguments, database))
}

/// A runtime that serves pages quickly beside hundreds of clients that record.
///
/// Each thread serves its requests in turn, so there are more threads than cores: the operating system shares the cores
/// more fairly. And each thread soon looks for new requests, instead of after 61 steps of those that it knows.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(32).event_interval(4).enable_all().build()
}
