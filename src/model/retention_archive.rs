use std::io;

use crate::model::entry::ActivityLogEntry;

/// Receives entries before a retention run deletes them.
///
/// [`export::FileArchive`](crate::export::FileArchive) appends them to a file and
/// [`export::WriterArchive`](crate::export::WriterArchive) to any writer. Implement this trait to keep them elsewhere:
///
/// ```
/// use activity_log::{ActivityLogEntry, RetentionArchive};
///
/// struct Bucket(Vec<ActivityLogEntry>);
///
/// impl RetentionArchive for Bucket {
///     fn append(&mut self, entries: &[ActivityLogEntry]) -> std::io::Result<()> {
///         self.0.extend_from_slice(entries);
///         Ok(())
///     }
/// }
/// ```
pub trait RetentionArchive {
    /// Stores these entries for good: once this method returns `Ok`, they are deleted from the log.
    ///
    /// The entries are in ascending order of `seq`. There is at least one, and there are at most 8,192 or about four
    /// megabytes. The run holds no lock during the call, unless it is inside a caller's transaction. If a run ends
    /// between this call and the deletion, for example because it is killed, the next run passes the same entries
    /// again.
    ///
    /// # Errors
    ///
    /// An error ends the run with [`Error::Output`](crate::Error::Output), and none of these entries is deleted.
    fn append(&mut self, entries: &[ActivityLogEntry]) -> io::Result<()>;
}
