//! The command line.

use std::net::SocketAddr;

use clap::Parser;
use tracing_subscriber::filter::Targets;

/// Keeps an activity log in a database and serves it over HTTP.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// The SQLite file that holds the log, created when it is missing; or the URL of a PostgreSQL database
    #[arg(long, default_value = "activity-log.db")]
    pub(crate) database: String,

    /// The token that programs must send; it or a user is required to listen beyond this machine. Prefer the environment
    /// variable: other users of the machine can see the arguments of a process
    #[arg(long, env = "ACTIVITY_LOG_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,

    /// Add a user, or change the password of one, and exit; asks for the password, or reads it from standard input
    #[arg(long, value_name = "NAME")]
    pub(crate) add_user: Option<String>,

    /// Fill an empty log with N plausible entries from the last 30 days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) demo: Option<u32>,

    /// What to say on standard error, such as `example_server=debug` for a line about each request
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    pub(crate) log: Targets,
}
