//! Ranges of `seq`, and the end from which they are read.

/// The end of a range from which it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

impl Order {
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// A range of `seq`. Both bounds are exclusive; `None` is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SeqRange {
    pub(crate) after: Option<i64>,
    pub(crate) before: Option<i64>,
}

impl SeqRange {
    pub(crate) fn after(seq: Option<i64>) -> Self {
        Self { after: seq, before: None }
    }

    pub(crate) fn before(seq: Option<i64>) -> Self {
        Self { after: None, before: seq }
    }

    /// The `seq` from `first` on.
    pub(crate) fn from(first: i64) -> Self {
        Self::after(first.checked_sub(1))
    }

    /// The `seq` up to and including `last`.
    pub(crate) fn through(last: i64) -> Self {
        Self::before(last.checked_add(1))
    }

    /// Whether no `seq` is in the range.
    pub(crate) fn is_empty(self) -> bool {
        self.after.zip(self.before).is_some_and(|(after, before)| after >= before.saturating_sub(1))
    }

    /// What both ranges contain.
    pub(crate) fn intersection(self, other: Self) -> Self {
        let before = [self.before, other.before].into_iter().flatten().min();
        Self { after: self.after.max(other.after), before }
    }

    /// The part that is read up to and including `seq`, and the rest, if there can be any.
    pub(crate) fn split(self, order: Order, seq: i64) -> (Self, Option<Self>) {
        let (part, rest) = match order {
            Order::Ascending => (Self::through(seq), seq.checked_add(1).map(|_| Self::after(Some(seq)))),
            Order::Descending => (Self::from(seq), seq.checked_sub(1).map(|_| Self::before(Some(seq)))),
        };
        (self.intersection(part), rest.map(|rest| self.intersection(rest)))
    }

    /// Both ranges as one, if `next` begins where this one ends.
    pub(crate) fn joined(self, next: Self, order: Order) -> Option<Self> {
        let (lower, upper) = match order {
            Order::Ascending => (self, next),
            Order::Descending => (next, self),
        };
        let touches = lower.before.zip(upper.after).is_some_and(|(before, after)| before.checked_sub(1) == Some(after));
        touches.then_some(Self { after: lower.after, before: upper.before })
    }
}
