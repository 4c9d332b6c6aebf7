//! Whether the database file is still the one that the server has opened.
//!
//! On Unix, a file that was replaced or removed lives on for the programs that have it open. The server would record
//! entries in it, and they would be gone once the server stops. Other systems keep an open file from being replaced.

use std::fs::OpenOptions;
use std::io;
use std::sync::Arc;

use diesel::ConnectionError;

/// A database file that is open. Clones are about the same one.
///
/// A viewer looks after the file of its pool. A host can do the same for what it writes itself, such as before and after
/// each change, and before its recorder connects again.
///
/// ```
/// use activity_log_axum::{FileLost, OpenFile};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("server.db");
/// std::fs::write(&path, "")?;
/// let file = OpenFile::at(&path.display().to_string());
/// assert_eq!(file.check(), Ok(()));
///
/// # #[cfg(unix)] {
/// std::fs::remove_file(&path)?;
/// assert_eq!(file.check(), Err(FileLost::Removed));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OpenFile {
    path: Arc<str>,
    /// `None` where it is unknown, such as for a URL. Nothing is checked then.
    identity: Option<Identity>,
}

/// Why a file can no longer be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileLost {
    /// Another file has taken its place.
    #[error("the database file was replaced while the server ran: restart the server")]
    Replaced,
    /// There is no file any more.
    #[error("the database file was removed while the server ran: put it back, or restart the server")]
    Removed,
}

impl From<FileLost> for ConnectionError {
    fn from(lost: FileLost) -> Self {
        Self::BadConnection(lost.to_string())
    }
}

impl OpenFile {
    /// The file at a path, right after it was opened. A text that is no path to a file, such as `:memory:`, passes each
    /// check.
    #[must_use]
    pub fn at(path: &str) -> Self {
        Self { path: path.into(), identity: identity(path).ok() }
    }

    /// Creates an empty file that only its owner may read, if there is none, for a database to be opened in it. On systems
    /// other than Unix, whoever may read what is in the folder may read it.
    ///
    /// `:memory:` and what begins with `file:` create nothing.
    ///
    /// # Errors
    ///
    /// Whatever keeps the file from being created.
    pub fn create_private(path: &str) -> io::Result<()> {
        if path.starts_with("file:") || path == ":memory:" {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.write(true).create_new(true).open(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Fails if the path no longer leads to the file. The check costs about a microsecond, so each request can make
    /// it. On systems other than Unix it never fails.
    ///
    /// # Errors
    ///
    /// [`FileLost`], which says what to do.
    pub fn check(&self) -> Result<(), FileLost> {
        let Some(opened) = self.identity else { return Ok(()) };
        match identity(&self.path) {
            Ok(found) if found == opened => Ok(()),
            Ok(_) => Err(FileLost::Replaced),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(FileLost::Removed)
            }
            // Nothing is known about the file, such as while a folder on the way may not be read.
            Err(_) => Ok(()),
        }
    }
}

/// The device and the inode.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &str) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_path: &str) -> io::Result<Identity> {
    Err(io::ErrorKind::Unsupported.into())
}
