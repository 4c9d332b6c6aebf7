//! How much there is of something, in entries and in bytes.

use std::ops::{AddAssign, SubAssign};

use crate::recorder::queued::Queued;

/// A number of entries, and about how many bytes of memory they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl Load {
    pub(crate) fn of(queued: &Queued) -> Self {
        Self { entries: queued.entries.len(), bytes: queued.bytes }
    }

    /// Whether more can be added within a bound. What is larger than the bound can be added to nothing.
    pub(crate) fn has_room_for(self, more: Self, bound: Self) -> bool {
        self == Self::default()
            || self.entries.saturating_add(more.entries) <= bound.entries
                && self.bytes.saturating_add(more.bytes) <= bound.bytes
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, more: Self) {
        self.entries = self.entries.saturating_add(more.entries);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, less: Self) {
        self.entries = self.entries.saturating_sub(less.entries);
        self.bytes = self.bytes.saturating_sub(less.bytes);
    }
}
