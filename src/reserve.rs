use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use diesel::prelude::*;

use crate::sqlite::{checkpoint, database_file};
use crate::{Error, Result};

/// How large the file is that [`keep_reserve`] keeps: 4 MiB.
///
/// SQLite writes its log back into the database's file every 1,000 pages, which may each be a new page of that file.
pub const RESERVE_BYTES: u64 = 4 << 20;

/// Keeps [`RESERVE_BYTES`] of disk, as a file beside the database, for a prune to work with when the disk is full.
///
/// On a disk without any room SQLite cannot even delete: it writes a deletion to its log first, and cannot empty the
/// log into a file that cannot grow. With a reserve, [`prune`](crate::ActivityLogRepository::prune) deletes that file
/// when it meets [`Error::Full`], and goes on. Without one it fails as recording does, until somebody makes room.
///
/// Call it at start-up and after each prune: it lays the reserve anew when there is none. The file is named as the
/// database's with `-reserve` appended. A database in memory needs and gets none.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("server.db").display().to_string();
/// let mut conn = activity_log::connect(&path)?;
/// activity_log::run_migrations(&mut conn)?;
/// activity_log::keep_reserve(&mut conn)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Reserve`] when the file cannot be written; none is left then.
pub fn keep_reserve(conn: &mut SqliteConnection) -> Result<()> {
    let Some(path) = reserve_path(conn)? else {
        return Ok(());
    };
    if fs::metadata(&path).is_ok_and(|file| file.len() == RESERVE_BYTES) {
        return Ok(());
    }
    fill(&path).map_err(|error| {
        // Room that was not enough is better left to others.
        match fs::remove_file(&path) {
            Ok(()) => Error::Reserve(error),
            Err(left_behind) if left_behind.kind() == io::ErrorKind::NotFound => Error::Reserve(error),
            Err(left_behind) => Error::Reserve(left_behind),
        }
    })
}

/// Gives the reserve up, where there is one, and empties the log into whatever room there is now.
pub(crate) fn make_room(conn: &mut SqliteConnection) -> Result<()> {
    if let Some(path) = reserve_path(conn)? {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::Reserve(error)),
            _ => {}
        }
    }
    Ok(checkpoint(conn)?)
}

fn reserve_path(conn: &mut SqliteConnection) -> QueryResult<Option<PathBuf>> {
    Ok(database_file(conn)?.map(|file| {
        let mut path = file.into_os_string();
        path.push("-reserve");
        path.into()
    }))
}

/// Noise, because a file system that compresses would keep no room for zeros.
fn fill(path: &Path) -> io::Result<()> {
    let mut noise = 0x9E37_79B9_7F4A_7C15_u64;
    let mut file = io::BufWriter::new(File::create(path)?);
    for _ in 0..RESERVE_BYTES / 8 {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        file.write_all(&noise.to_le_bytes())?;
    }
    file.into_inner()?.sync_all()
}
