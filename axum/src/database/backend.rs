//! What a database must do besides holding a log.

use activity_log::Result;
use diesel::r2d2::R2D2Connection;

/// A connection whose pool a viewer can read from, to a database whose feature is enabled.
///
/// The trait is sealed.
pub trait Backend: activity_log::Backend + R2D2Connection + Operations + 'static {}

/// The operations of a [`Backend`].
pub trait Operations: Sized {
    /// Runs `work` in a transaction that is ready to write.
    fn with_write_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T>;

    /// Runs `work`, which only reads, in a transaction. Where the database has snapshots of such transactions that can be
    /// followed, it sees one.
    fn with_read_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T>;

    /// Whether a database is a file.
    const IS_A_FILE: bool;

    /// The path of the file that the connection has opened, where there is one.
    fn file(&mut self) -> Option<String>;
}
