use std::io;

use crate::model::entry::ActivityLogEntry;

/// Receives entries before a retention run deletes them.
///
/// [`export::FileArchive`](crate::export::FileArchive) appends them to a file and
/// [`export::WriterArchive`](crate::export::WriterArchive) to any writer. Implement it to keep them elsewhere:
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
    /// Keeps these entries for good: once it returns `Ok`, they are deleted from the log.
    ///
    /// The entries are ascending by `seq`, at least one, at most 8,192 or about four megabytes. No lock is held meanwhile. If a
    /// run ends between this call and the deletion, as when it is killed, the same entries come again in the next one.
    ///
    /// # Errors
    ///
    /// An error ends the run with [`Error::Output`](crate::Error::Output), and none of these entries is deleted.
    fn append(&mut self, entries: &[ActivityLogEntry]) -> io::Result<()>;
}
