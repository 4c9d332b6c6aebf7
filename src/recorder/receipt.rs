use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::error::recorder::RecorderError;
use crate::recorder::own_thread;
use crate::recorder::slot::Slot;

/// The promise of a [`Recorder`](crate::Recorder) to say what became of what it was given.
///
/// It is answered once the entry is committed, with its `seq`, or once it is certain that the entry will not be. As a
/// future it works on any executor; elsewhere [`wait`](Self::wait) blocks. Dropping it is fine: the entry is recorded
/// all the same.
///
/// ```
/// use activity_log::{NewActivityLogEntry, Recorder, RecorderOptions};
///
/// # fn main() -> activity_log::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let database = folder.path().join("server.db").display().to_string();
/// # activity_log::run_migrations(&mut activity_log::connect(&database)?)?;
/// let recorder = Recorder::start(move || activity_log::connect(&database), RecorderOptions::new())?;
/// let receipt = recorder.record(NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"));
/// assert_eq!(receipt.wait()?, 1); // or `receipt.await?`
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// It is answered with the error that [`record`](crate::Repository::record) would have returned for this entry, such as
/// [`Error::InvalidEntry`](crate::Error::InvalidEntry) or [`Error::DuplicateId`](crate::Error::DuplicateId), or with
/// [`Error::Recorder`](crate::Error::Recorder), which says why the recorder did not record. A busy or full database and
/// a lost connection are no errors here: the recorder tries again.
pub struct Receipt<T = i64> {
    slot: Arc<Slot>,
    read: fn(Vec<i64>) -> T,
}

impl<T> Receipt<T> {
    pub(crate) fn new(slot: Arc<Slot>, read: fn(Vec<i64>) -> T) -> Self {
        Self { slot, read }
    }

    /// A receipt that is answered already.
    pub(crate) fn refused(reason: RecorderError, read: fn(Vec<i64>) -> T) -> Self {
        let slot = Slot::new();
        slot.answer(Err(reason.into()));
        Self::new(Arc::new(slot), read)
    }

    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Waits for the answer, however long the database stays away.
    ///
    /// # Errors
    ///
    /// [The receipt's](Self#errors). In a callback of a recorder it cannot wait, and returns
    /// [`RecorderError::OwnThread`] unless the answer is there.
    pub fn wait(self) -> Result<T> {
        let answer = match (self.slot.take(), own_thread::may_wait()) {
            (Some(answer), _) => answer,
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => self.slot.wait_until(None).unwrap_or_else(|| Err(RecorderError::Unclear.into())),
        };
        answer.map(self.read)
    }

    /// Waits for the answer for at most this long.
    ///
    /// # Errors
    ///
    /// The receipt itself, if there is no answer by then.
    pub fn wait_at_most(self, at_most: Duration) -> Result<Result<T>, Self> {
        let at_most = if own_thread::may_wait().is_ok() { at_most } else { Duration::ZERO };
        match self.slot.wait_until(Instant::now().checked_add(at_most)) {
            Some(answer) => Ok(answer.map(self.read)),
            None => Err(self),
        }
    }
}

impl<T> Future for Receipt<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.slot.poll(context).map(|answer| answer.map(self.read))
    }
}

impl<T> fmt::Debug for Receipt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").finish_non_exhaustive()
    }
}
