use crate::model::entry::NewActivityLogEntry;

/// What a [`Recorder`](crate::Recorder) could not write before it was shut down, in the order in which it was given.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "it holds the entries that are not in the log"]
pub struct Unwritten {
    /// These are not in the log.
    pub entries: Vec<NewActivityLogEntry>,
    /// These were being committed when time was up, and may be in the log. Recorded again with their ids, none is there
    /// twice: [`Error::DuplicateId`](crate::Error::DuplicateId) says that one is there.
    pub unclear: Vec<NewActivityLogEntry>,
}

impl Unwritten {
    /// Whether everything was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unclear.is_empty()
    }
}
