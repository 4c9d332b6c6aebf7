use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::export::ndjson::append_line;
use crate::model::entry::ActivityLogEntry;
use crate::model::retention_archive::RetentionArchive;

/// Appends what a retention run deletes to a file, as [`write_ndjson`](crate::export::write_ndjson) writes it.
///
/// Each batch is synced to the disk before it is deleted from the log, so every entry is in the file or in the log, no
/// matter when the process or the machine stops. After a kill, the entries of one batch may be in both, and the next
/// run appends them again with the same `id`. A line that a kill cut short stays as it is, and
/// [`read_ndjson`](crate::export::read_ndjson) reports it. The next batch begins on a new line and contains that entry
/// again.
///
/// If the file is on a different disk from the database, the archive also works when the database's disk is full.
///
/// Several processes may append to one file: each locks it while it writes. To begin a new file, rename the old one and
/// open the archive again.
///
/// ```
/// use std::sync::atomic::AtomicBool;
///
/// use activity_log::{ActivityLogRepository, NewActivityLogEntry, RetentionHooks, RetentionPolicy, export};
/// use chrono::Utc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("old-entries.ndjson");
/// let mut log = ActivityLogRepository::new(&mut conn);
/// log.record(&NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"))?;
///
/// let mut archive = export::FileArchive::open(&path)?;
/// let policy = RetentionPolicy::new().max_entries(0);
/// let hooks = RetentionHooks::new().archive(&mut archive);
/// log.apply_retention_with(&policy, Utc::now(), &AtomicBool::new(false), hooks)?;
///
/// let archived = export::read_ndjson(std::io::BufReader::new(std::fs::File::open(&path)?));
/// let archived = archived.collect::<activity_log::Result<Vec<_>>>()?;
/// assert_eq!(archived[0].actor, "alice");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FileArchive {
    file: File,
}

impl FileArchive {
    /// Opens the file, and creates it if there is none. Its folder must exist.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] if the file cannot be opened for reading and writing.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        open(path.as_ref()).map(|file| Self { file }).map_err(Error::Output)
    }

    /// Whether the file ends within a line, as a killed process may have left it.
    fn ends_within_line(&mut self) -> io::Result<bool> {
        if self.file.seek(SeekFrom::End(0))? == 0 {
            return Ok(false);
        }
        self.file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        self.file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    fn append_synced(&mut self, entries: &[ActivityLogEntry]) -> io::Result<()> {
        let lines = lines(entries, self.ends_within_line()?)?;
        self.file.write_all(&lines)?;
        self.file.sync_data()
    }
}

impl RetentionArchive for FileArchive {
    fn append(&mut self, entries: &[ActivityLogEntry]) -> io::Result<()> {
        self.file.lock()?;
        let appended = self.append_synced(entries);
        let unlocked = self.file.unlock();
        appended.and(unlocked)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).append(true).create(true).open(path)?;
    // The file's name has to survive a power cut as well. Only Unix can sync a folder; elsewhere it needs no syncing.
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

/// Hands what a retention run deletes to any writer, such as a pipe to a compressor, as
/// [`write_ndjson`](crate::export::write_ndjson) writes it.
///
/// The writer is flushed after each batch and before the batch is deleted. How safe the entries are then depends on the
/// writer: what it still buffers, or what the other end of a pipe has not stored, is lost if the machine stops.
/// [`FileArchive`] syncs.
///
/// After a failed write, the next batch begins on a new line.
#[derive(Debug)]
pub struct WriterArchive<W> {
    writer: W,
    is_within_line: bool,
}

impl<W: Write> WriterArchive<W> {
    /// An archive over the writer. To keep the writer, pass `&mut writer`.
    pub fn new(writer: W) -> Self {
        Self { writer, is_within_line: false }
    }
}

impl<W: Write> RetentionArchive for WriterArchive<W> {
    fn append(&mut self, entries: &[ActivityLogEntry]) -> io::Result<()> {
        let lines = lines(entries, self.is_within_line)?;
        self.is_within_line = true;
        self.writer.write_all(&lines)?;
        self.writer.flush()?;
        self.is_within_line = false;
        Ok(())
    }
}

/// The entries as lines. If the output ends within a line, they begin with a line end.
fn lines(entries: &[ActivityLogEntry], is_within_line: bool) -> io::Result<Vec<u8>> {
    let mut lines = if is_within_line { vec![b'\n'] } else { Vec::new() };
    entries.iter().try_for_each(|entry| append_line(entry, &mut lines))?;
    Ok(lines)
}
