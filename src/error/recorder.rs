use std::time::Duration;

/// Why a [`Recorder`](crate::Recorder) did not record, or does not know whether it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecorderError {
    /// The queue is full, and the policy is to refuse.
    #[error("its queue is full")]
    QueueFull,

    /// The queue stayed full for as long as the policy lets a caller wait.
    #[error("its queue stayed full for {waited:?}")]
    StillFull {
        /// How long the caller waited.
        waited: Duration,
    },

    /// The queue was full, and the policy is to drop the newest entries. An entry in the log says how many were dropped.
    #[error("its queue was full, and the entry was dropped")]
    Dropped,

    /// The host took the entry back before it was written. The entry is not in the log.
    #[error("it was withdrawn before it was written")]
    Withdrawn,

    /// The recorder is switched off.
    #[error("it is switched off")]
    SwitchedOff,

    /// The recorder was shut down before the entry was written. The entry is not in the log.
    #[error("it was shut down before it wrote this")]
    ShutDown,

    /// The recorder was shut down while a transaction with the entry was being committed. The entry may be in the log,
    /// and its id tells.
    #[error("it was shut down while it wrote this; look for the entry's id")]
    Unclear,

    /// The thread of the recorder could not wait for itself, in a callback.
    #[error("its own thread cannot wait for it")]
    OwnThread,

    /// The recorder's policy is to wait for room in the queue, which the thread that logs must not do.
    #[error("its policy would make the thread that logs wait")]
    WouldBlock,

    /// A function that the host gave to the recorder panicked.
    #[error("a function that the host gave it panicked")]
    HostPanicked,
}
