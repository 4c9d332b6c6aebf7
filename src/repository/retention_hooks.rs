use std::fmt;
use std::io;

use crate::model::entry::ActivityLogEntry;
use crate::model::retention_archive::RetentionArchive;
use crate::model::retention_report::RetentionReport;

/// What a host adds to a retention run: an archive, and a callback for the progress.
///
/// ```
/// use std::sync::atomic::AtomicBool;
///
/// use activity_log::{ActivityLogRepository, RetentionHooks, RetentionPolicy, export};
/// use chrono::{TimeDelta, Utc};
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("activity-log.ndjson");
/// let mut archive = export::FileArchive::open(&path)?;
/// let mut progress = |report: &activity_log::RetentionReport| eprintln!("{} deleted so far", report.deleted);
/// let hooks = RetentionHooks::new().archive(&mut archive).progress(&mut progress);
///
/// let policy = RetentionPolicy::new().max_age(TimeDelta::days(365)).keep_at_least(10_000);
/// let mut log = ActivityLogRepository::new(&mut conn);
/// log.apply_retention_with(&policy, Utc::now(), &AtomicBool::new(false), hooks)?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct RetentionHooks<'a> {
    archive: Option<&'a mut (dyn RetentionArchive + Send)>,
    progress: Option<&'a mut (dyn FnMut(&RetentionReport) + Send)>,
}

impl<'a> RetentionHooks<'a> {
    /// No hooks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands each batch to the archive before the batch is deleted, so all that is deleted is in the archive.
    ///
    /// An entry that cannot be read cannot be archived, so it is held back.
    #[must_use]
    pub fn archive(mut self, archive: &'a mut (dyn RetentionArchive + Send)) -> Self {
        self.archive = Some(archive);
        self
    }

    /// Calls `progress` after each batch with the report so far. The run holds no lock during the call, unless it is
    /// inside a caller's transaction.
    #[must_use]
    pub fn progress(mut self, progress: &'a mut (dyn FnMut(&RetentionReport) + Send)) -> Self {
        self.progress = Some(progress);
        self
    }
    pub(crate) fn has_archive(&self) -> bool {
        self.archive.is_some()
    }

    pub(crate) fn append(&mut self, entries: &[ActivityLogEntry]) -> io::Result<()> {
        match &mut self.archive {
            Some(archive) if !entries.is_empty() => archive.append(entries),
            _ => Ok(()),
        }
    }

    pub(crate) fn report(&mut self, report: &RetentionReport) {
        if let Some(progress) = &mut self.progress {
            progress(report);
        }
    }
}

impl fmt::Debug for RetentionHooks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetentionHooks").finish_non_exhaustive()
    }
}
