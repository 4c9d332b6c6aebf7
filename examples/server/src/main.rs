//! An HTTP server that keeps an activity log: how a host uses the `activity-log` crate with axum and an r2d2 pool.
//!
//! - `POST /api/v1/activity-log` records one entry (`application/json`) or many (`application/x-ndjson`), all or nothing.
//! - `GET /api/v1/activity-log` lists them, newest first, by filters and page by page.
//! - `DELETE /api/v1/activity-log?actor=…` clears the log, and records who did.
//!
//! Whoever reaches it may do all of that: it listens on 127.0.0.1, and a host puts its own authentication in front.

mod body;
mod database;
mod error;
mod parameters;
mod query;
mod routes;
mod shutdown;
mod time;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use activity_log::{ActivityCategory, ActivityLogRepository, NewActivityLogEntry};
use clap::Parser;
use tokio::net::TcpListener;

use crate::database::{Database, DatabaseError};
use crate::shutdown::{serve_until, stop_signal};

/// Keeps an activity log in a SQLite file, and serves it over HTTP.
#[derive(Debug, Parser)]
struct Arguments {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The SQLite file that holds the log; created when it is missing
    #[arg(long, default_value = "activity-log.db")]
    database: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("example-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    // Before there is an async thread that it could block.
    let database =
        Database::open(&arguments.database).map_err(|error| format!("cannot open {}: {error}", arguments.database))?;
    serve(arguments.listen, database)
}

#[tokio::main]
async fn serve(address: SocketAddr, database: Database) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let url = format!("http://{}", listener.local_addr()?);
    // Before the URL is printed: whoever reads it may ask the server to stop at once.
    let stop = stop_signal()?;

    let started = own_entry("server_started", format!("The server listens on {url}")).metadata_value("url", &*url);
    record(&database, started).await?;
    println!("listening on {url}");

    serve_until(stop, listener, routes::router(database.clone())).await?;

    record(&database, own_entry("server_stopped", "The server stopped")).await?;
    Ok(())
}

/// An entry about the server itself.
fn own_entry(action: &str, message: impl Into<String>) -> NewActivityLogEntry {
    NewActivityLogEntry::new(ActivityCategory::System, action, "system", message)
}

async fn record(database: &Database, entry: NewActivityLogEntry) -> Result<i64, DatabaseError> {
    database.run(move |conn| ActivityLogRepository::new(conn).record(&entry)).await
}
