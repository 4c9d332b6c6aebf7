//! Which part of the log is read, and from which end.

/// From which end of a span it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// A range of `seq`, its ends exclusive; `None` is no end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Span {
    pub(crate) after: Option<i64>,
    pub(crate) before: Option<i64>,
}

impl Span {
    /// The `seq` from `first` to `last`, both included.
    pub(crate) fn including(first: i64, last: i64) -> Self {
        Self { after: first.checked_sub(1), before: last.checked_add(1) }
    }

    /// What both have in common.
    pub(crate) fn and(self, other: Self) -> Self {
        let before = [self.before, other.before].into_iter().flatten().min();
        Self { after: self.after.max(other.after), before }
    }

    /// What is read up to and with `seq`, and what is left then, if any.
    pub(crate) fn split(self, order: Order, seq: i64) -> (Self, Option<Self>) {
        match order {
            Order::Ascending => {
                let rest = seq.checked_add(1).map(|_| self.and(Self { after: Some(seq), before: None }));
                (self.and(Self { after: None, before: seq.checked_add(1) }), rest)
            }
            Order::Descending => {
                let rest = seq.checked_sub(1).map(|_| self.and(Self { after: None, before: Some(seq) }));
                (self.and(Self { after: seq.checked_sub(1), before: None }), rest)
            }
        }
    }

    /// Both as one, when `next` begins where this one ends.
    pub(crate) fn joined(self, next: Self, order: Order) -> Option<Self> {
        let (lower, upper) = match order {
            Order::Ascending => (self, next),
            Order::Descending => (next, self),
        };
        let touches = lower.before.zip(upper.after).is_some_and(|(before, after)| before.checked_sub(1) == Some(after));
        touches.then_some(Self { after: lower.after, before: upper.before })
    }
}
