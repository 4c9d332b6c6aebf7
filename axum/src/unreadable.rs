//! The rows that requests came upon and that cannot be read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use activity_log::Error::UnreadableRow;
use activity_log::Result;

/// How many are remembered.
const MAX_SEEN: usize = 100;

/// The rows that were seen since the start. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnreadableRows {
    seqs: Arc<Mutex<BTreeSet<i64>>>,
}

impl UnreadableRows {
    pub(crate) fn add(&self, seqs: impl IntoIterator<Item = i64>) {
        let mut seen = self.seqs.lock().unwrap_or_else(PoisonError::into_inner);
        for seq in seqs {
            if seen.len() < MAX_SEEN {
                seen.insert(seq);
            }
        }
    }

    /// Adds the row of an entry that cannot be read.
    pub(crate) fn look_at<T>(&self, entry: &Result<T>) {
        if let Err(UnreadableRow { seq, .. }) = entry {
            self.add([*seq]);
        }
    }

    /// The `seq` of each, ascending.
    pub(crate) fn seqs(&self) -> Vec<i64> {
        self.seqs.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
