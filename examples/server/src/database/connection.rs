//! What the server's handlers ask of a connection, in whatever database it is.

use std::time::Duration;

use activity_log::{NewActivityLogEntry, Result};

use crate::device::Device;

/// The viewer uses half of them for exports.
pub(crate) const CONNECTIONS: u32 = 8;

/// How long a request waits for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// A connection to the server's database.
pub(crate) trait Connection {
    /// The devices in the order of their ids, at most `limit`.
    fn devices(&mut self, limit: i64) -> Result<Vec<Device>>;

    fn device(&mut self, id: &str) -> Result<Option<Device>>;

    fn put_device(&mut self, device: &Device) -> Result<()>;

    fn remove_device(&mut self, id: &str) -> Result<()>;

    /// Runs `work` in a transaction that is ready to write.
    fn in_transaction(&mut self, work: &mut dyn FnMut(&mut dyn Connection) -> Result<()>) -> Result<()>;

    /// Records an entry, in the current transaction if there is one.
    fn record(&mut self, entry: &NewActivityLogEntry) -> Result<()>;

    /// Records entries if the log is empty; returns whether it was.
    fn fill(&mut self, number: u32) -> Result<bool>;
}
