use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use uuid::Uuid;

use crate::sqlite::{checkpoint, database_file};
use crate::{Error, Result};

/// A size for [`keep_reserve`]: 4 MiB.
///
/// SQLite writes its log back into the database's file about every 1,000 pages of 4 KiB, each of which may be a new page
/// of that file.
pub const RESERVE_BYTES: u64 = 4 << 20;

/// Keeps so many bytes of disk, as a file beside the database, for a prune to work with when the disk is full.
///
/// On a disk without any room SQLite cannot even delete: it writes a deletion to its log first, and cannot empty the
/// log into a file that cannot grow. With a reserve, [`prune`](crate::ActivityLogRepository::prune) deletes that file
/// when it meets [`Error::Full`], and goes on. Without one it fails as recording does, until somebody makes room.
///
/// The reserve is enough while no more than its size waits in SQLite's log: [`RESERVE_BYTES`] for entries recorded one
/// by one or in small batches; more for a host whose batches, entries or own transactions are larger, or that keeps
/// reading transactions open for long.
///
/// Call it at start-up and after each prune: it lays the reserve anew when there is none of this size. A failure should
/// be reported, but not keep a server from starting. The file is named as the database's with `-reserve` appended; a
/// server that cannot open its database for want of room can, once somebody has deleted it by hand. A database in memory
/// needs and gets none.
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
/// [`Error::Reserve`] when the file cannot be written; none is left then.
pub fn keep_reserve(conn: &mut SqliteConnection, bytes: u64) -> Result<()> {
    let Some(path) = reserve_path(conn)? else {
        return Ok(());
    };
    if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() == bytes) {
        return Ok(());
    }
    // Under a name of its own until it is whole: other processes may be doing the same.
    let unfinished = path.with_added_extension(std::process::id().to_string());
    let laid = remove_if_there(&unfinished)
        .and_then(|()| fill(&unfinished, bytes))
        .and_then(|()| fs::rename(&unfinished, &path));
    // Room that was not enough is better left to others.
    laid.map_err(|error| Error::Reserve(remove_if_there(&unfinished).err().unwrap_or(error)))
}

/// Gives the reserve up, where there is one, and empties the log into whatever room there is now.
pub(crate) fn make_room(conn: &mut SqliteConnection) -> Result<()> {
    if let Some(path) = reserve_path(conn)?
        && fs::symlink_metadata(&path).is_ok_and(|file| file.is_file())
    {
        remove_if_there(&path).map_err(Error::Reserve)?;
    }
    match checkpoint(conn) {
        // The deletion that is tried next says whether there is room now.
        Err(error) if error.may_be_for_want_of_room() => Ok(()),
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

/// Writes noise, other each time, because a file system that compresses or deduplicates would keep no room for less.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut noise = Uuid::now_v7().as_u64_pair().1;
    let mut file = io::BufWriter::new(File::create_new(path)?);
    for written in (0..bytes).step_by(8) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        let part = noise.to_le_bytes();
        let rest = usize::try_from(bytes - written).unwrap_or(usize::MAX).min(part.len());
        file.write_all(part.get(..rest).unwrap_or(&part))?;
    }
    file.into_inner()?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
