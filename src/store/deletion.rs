//! What deleting a batch of rows did.

use std::time::Duration;

/// The outcome of one [`delete`](crate::store::Store::delete).
#[derive(Debug, Default, PartialEq)]
pub struct Deletion {
    /// How many of the rows were deleted here. Those that another connection deleted meanwhile are not among them.
    pub(crate) deleted: u64,
    /// The `seq` of the rows that are still there, because a foreign key or a trigger of the host's holds them back.
    pub(crate) held_back: Vec<i64>,
    /// How long writers had to wait; zero inside a caller's transaction, which holds the lock in any case.
    pub(crate) lock_time: Duration,
}
