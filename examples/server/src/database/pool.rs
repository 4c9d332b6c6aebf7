//! How many connections the server has, in whatever database.

use std::time::Duration;

/// The viewer uses half of them for exports.
pub(crate) const CONNECTIONS: u32 = 8;

/// How long a request waits for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
