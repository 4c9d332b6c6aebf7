//! The server that the tests use, and what is PostgreSQL's own whatever the connection.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::placement::SERVER;
use crate::support::TestResult;

/// The address of the server. Without one, all tests of this program are skipped.
#[expect(clippy::disallowed_methods, reason = "only the environment can tell tests where a server is")]
pub(crate) fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        // Not captured, as what a test prints is.
        let told = writeln!(std::io::stderr(), "\nskipped: these tests need {SERVER}, the address of a server.");
        std::process::exit(i32::from(told.is_err()));
    })
}

/// The address of a new schema, which is the only one in the search path.
pub(crate) fn new_schema() -> TestResult<String> {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let server = server();
    let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let schema = format!("t_{}_{started}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
    PgConnection::establish(&server)?.batch_execute(&format!("CREATE SCHEMA {schema}"))?;
    let separator = if server.contains('?') { '&' } else { '?' };
    Ok(format!("{server}{separator}options=-csearch_path%3D{schema}%20-cclient_min_messages%3Dwarning"))
}

/// Whether entries become visible in the order of their `seq`, and those of one transaction at once to a walk.
pub(crate) const IS_IN_COMMIT_ORDER: bool = false;

/// Columns with assignments of values that no entry can have.
pub(crate) const BREAKING_ASSIGNMENTS: [(&str, &str); 5] = [
    ("ts", "ts = 'infinity'"),
    ("ts", "ts = '-infinity'"),
    ("metadata", "metadata = '{\"cut'"),
    ("metadata", "metadata = '[1, 2]'"),
    ("metadata", "metadata = ''"),
];

/// Columns that take any text, although an entry has no text there.
pub(crate) const COLUMNS_OF_ANY_TEXT: [&str; 1] = ["metadata"];
