use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use diesel::prelude::*;

use crate::error::{Error, Result};
use crate::sqlite::busy::without_busy_timeout;
use crate::sqlite::pragma::{checkpoint, database_file};

/// The usual size for [`keep_reserve`]: 4 MiB.
///
/// SQLite copies its log into the database's file about every 1,000 pages of 4 KiB, each of which may be a new page of
/// that file.
pub const RESERVE_BYTES: u64 = 4 << 20;

/// Keeps this many bytes of disk in a file beside the database, for a prune to work with when the disk is full.
///
/// On a disk without any room, SQLite cannot even delete: it first writes a deletion to its log, and cannot empty the
/// log into a file that cannot grow. With a reserve, [`prune`](crate::ActivityLogRepository::prune) deletes the reserve
/// file when it meets [`Error::Full`], and continues. Without one, a prune fails, as recording does, until somebody
/// makes room.
///
/// The reserve suffices while SQLite's log holds no more than its size: [`RESERVE_BYTES`] for entries recorded one by
/// one or in small batches, more for a host whose batches, entries or own transactions are larger, or that keeps read
/// transactions open for long.
///
/// Call it at start-up and after each prune: it writes the reserve file if there is none of this size. Report a
/// failure, but do not keep a server from starting because of it. The file is named like the database's with `-reserve`
/// appended. If a server cannot open its database because the disk is full, delete the reserve file by hand. A database
/// in memory needs no reserve and gets none.
///
/// ```
/// use activity_log::{RESERVE_BYTES, keep_reserve};
///
/// # fn main() -> activity_log::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("server.db").display().to_string();
/// let mut conn = activity_log::connect(&path)?;
/// activity_log::run_migrations(&mut conn)?;
/// if let Err(error) = keep_reserve(&mut conn, RESERVE_BYTES) {
///     eprintln!("{error}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Reserve`] if the file cannot be written. No file is left then.
pub fn keep_reserve(conn: &mut SqliteConnection, bytes: u64) -> Result<()> {
    let Some(path) = reserve_path(conn)? else {
        return Ok(());
    };
    let unfinished = path.with_added_extension("unfinished");
    // A call that was killed leaves the unfinished file behind.
    if is_complete(&path, bytes) && fs::symlink_metadata(&unfinished).is_err() {
        return Ok(());
    }
    // A part of the reserve helps nobody.
    write(&path, &unfinished, bytes)
        .map_err(|error| Error::Reserve(remove_if_exists(&unfinished).err().unwrap_or(error)))
}

fn is_complete(path: &Path, bytes: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && file.len() == bytes)
}

/// Writes the reserve under another name until it is complete. A lock on that file lets threads and processes wait for
/// each other, and find the work done.
fn write(path: &Path, unfinished: &Path, bytes: u64) -> io::Result<()> {
    loop {
        let file = File::options().write(true).create(true).truncate(false).open(unfinished)?;
        file.lock()?;
        // Whoever held the lock before has finished or removed the file, and another call may have begun a new one.
        if !is_named(&file, unfinished)? {
            continue;
        }
        if is_complete(path, bytes) {
            return remove_if_exists(unfinished);
        }
        fill(&file, bytes)?;
        match fs::rename(unfinished, path) {
            // A call that failed has removed the file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome,
        }
    }
}

/// Runs `work`, outside a transaction. If there is no room for it, it releases the reserve and runs `work` again.
pub(crate) fn with_reserve<T>(
    conn: &mut SqliteConnection,
    mut work: impl FnMut(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    match work(conn) {
        Err(error) if error.is_out_of_space() => {
            release_reserve(conn)?;
            work(conn)
        }
        outcome => outcome,
    }
}

/// Whether the path still names this open file.
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let named = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        named => named?,
    };
    is_same(&file.metadata()?, &named)
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Elsewhere only the time of creation tells files apart.
#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> io::Result<bool> {
    Ok(one.created()? == other.created()?)
}

/// Deletes the reserve file, if there is one, and empties SQLite's log into whatever room there is now.
fn release_reserve(conn: &mut SqliteConnection) -> Result<()> {
    if let Some(path) = reserve_path(conn)?
        && fs::symlink_metadata(&path).is_ok_and(|file| file.is_file())
    {
        remove_if_exists(&path).map_err(Error::Reserve)?;
    }
    match without_busy_timeout(conn, |conn, _| Ok(checkpoint(conn)?)) {
        // The deletion that is tried next shows whether there is room now.
        Err(error) if error.is_out_of_space() => Ok(()),
        outcome => outcome,
    }
}

fn reserve_path(conn: &mut SqliteConnection) -> QueryResult<Option<PathBuf>> {
    Ok(database_file(conn)?.map(|file| {
        let mut path = file.into_os_string();
        path.push("-reserve");
        path.into()
    }))
}

/// Writes random bytes, because a file system that compresses or deduplicates would keep no room for others.
fn fill(file: &File, bytes: u64) -> io::Result<()> {
    file.set_len(0)?;
    let random = RandomState::new();
    let mut file = io::BufWriter::new(file);
    for position in (0..bytes).step_by(8) {
        let part = random.hash_one(position).to_le_bytes();
        let rest = usize::try_from(bytes - position).unwrap_or(usize::MAX).min(part.len());
        file.write_all(part.get(..rest).unwrap_or(&part))?;
    }
    file.into_inner()?.sync_all()
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
