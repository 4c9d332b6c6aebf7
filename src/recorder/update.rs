use std::sync::Arc;

use crate::model::entry::ActivityLogEntry;

/// What a [`Subscription`](crate::Subscription) hands on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// An entry that was committed.
    Entry(Arc<ActivityLogEntry>),
    /// The subscriber was too slow and has missed entries. What comes next follows after them.
    Lagged(Lagged),
}

/// Which entries a slow [`Subscription`](crate::Subscription) has missed.
///
/// [`query_after`](crate::Repository::query_after) with the subscription's filters and `after_seq` returns them, up to
/// `through_seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagged {
    /// The `seq` of the last entry before the gap. The subscriber has it.
    pub after_seq: i64,
    /// The `seq` of the last entry in the gap.
    pub through_seq: i64,
    /// How many entries are in the gap, of those that the recorder wrote and that match.
    pub missed: u64,
}
