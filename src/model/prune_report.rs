/// What a prune did: see [`prune_with_report`](crate::Repository::prune_with_report).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PruneReport {
    /// How many entries were deleted, not counting those that a trigger or a foreign key of the host's deleted with them.
    pub deleted: u64,
    /// How many entries were due and stay, because a foreign key of the host's refers to them, or a trigger keeps them.
    pub held_back: u64,
}

impl PruneReport {
    #[cfg(feature = "sqlite")]
    pub(crate) fn add(&mut self, other: Self) {
        self.deleted += other.deleted;
        self.held_back += other.held_back;
    }
}
