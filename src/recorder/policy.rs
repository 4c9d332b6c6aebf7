use std::time::Duration;

/// What a [`Recorder`](crate::Recorder) does with an entry for which its queue has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueuePolicy {
    /// The caller waits for room, for at most this long, and is refused then. Callers get in in the order in which they
    /// came. In async code this blocks a thread of the executor; use another policy there, or
    /// [`record_when_room`](crate::Recorder::record_when_room).
    Block {
        /// How long a caller waits.
        at_most: Duration,
    },
    /// The caller is refused at once and has its entry back: see [`try_record`](crate::Recorder::try_record).
    Refuse,
    /// The entry is dropped and counted. As soon as there is room, an entry of category `system` and action
    /// `activity_log.dropped` says how many were dropped, and from when to when.
    DropNewest,
}

impl Default for QueuePolicy {
    /// Blocks for at most five seconds.
    fn default() -> Self {
        Self::Block { at_most: Duration::from_secs(5) }
    }
}
