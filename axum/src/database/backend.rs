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

    /// How many bytes the log takes on the disk, with its indexes; of a file, its whole size.
    fn bytes(&mut self) -> Result<u64>;

    /// About how many entries there are.
    fn entries(&mut self) -> Result<u64>;

    /// Whether there is an index for texts in messages.
    fn has_search(&mut self) -> Result<bool>;

    /// Whether a database is a file.
    const IS_A_FILE: bool;

    /// The path of the file that the connection has opened, where there is one.
    fn file(&mut self) -> Option<String>;
}
