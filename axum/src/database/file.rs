//! Whether the database file is still the one that the server has opened.
//!
//! On Unix, a file that was replaced or removed lives on for the programs that have it open. The server would record
//! entries in it, and they would be gone once the server stops. Other systems keep an open file from being replaced.

use std::io;
use std::sync::Arc;

/// A file that is open. Clones are about the same one.
#[derive(Debug, Clone)]
pub(crate) struct OpenFile {
    path: Arc<str>,
    /// `None` where it is unknown, such as for a URL. Nothing is checked then.
    identity: Option<Identity>,
}

/// Why a file can no longer be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileLost {
    #[error("the database file was replaced while the server ran: restart the server")]
    Replaced,
    #[error("the database file was removed while the server ran: put it back, or restart the server")]
    Removed,
}

impl OpenFile {
    /// The file at a path, right after it was opened.
    pub(crate) fn at(path: &str) -> Self {
        Self { path: path.into(), identity: identity(path).ok() }
    }

    /// Fails if the path no longer leads to the file. The check costs about a microsecond, so each request can make
    /// it.
    pub(crate) fn check(&self) -> Result<(), FileLost> {
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
