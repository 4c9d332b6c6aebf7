use std::fmt;

use crate::error::Error;
use crate::error::recorder::RecorderError;

/// What a [`Recorder`](crate::Recorder) did not take, and why. It gives the entries back.
pub struct Refused<T> {
    reason: RecorderError,
    refused: Box<T>,
}

impl<T> Refused<T> {
    pub(crate) fn new(reason: RecorderError, refused: T) -> Self {
        Self { reason, refused: Box::new(refused) }
    }

    /// Why the recorder did not take it.
    #[must_use]
    pub fn reason(&self) -> RecorderError {
        self.reason
    }

    /// What the recorder was given: an entry, or several.
    #[must_use]
    pub fn into_inner(self) -> T {
        *self.refused
    }
}

impl<T> From<Refused<T>> for Error {
    fn from(refused: Refused<T>) -> Self {
        refused.reason.into()
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the activity log's recorder did not record: {}", self.reason)
    }
}

impl<T> std::error::Error for Refused<T> {}
