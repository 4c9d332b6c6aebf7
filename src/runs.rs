//! Where in a span rows are to be looked for, as a summary of the log tells: run by run.

use std::collections::VecDeque;

use diesel::prelude::*;

use crate::span::{Order, Span};

/// What is looked for, with the summary that knows in which parts of the log it may be.
pub(crate) trait Sought {
    /// How many parts are looked up at first; four times as many each time that more are needed.
    const FIRST_PARTS: i64;

    /// The last `seq` that the summary covers; all later rows are open. `None` when it tells nothing.
    fn closed(&self, conn: &mut SqliteConnection) -> QueryResult<Option<i64>>;

    /// The first and last `seq` of the parts that it may be in and that reach into the span, at most so many, in order.
    fn parts(&self, conn: &mut SqliteConnection, span: Span, order: Order, most: i64) -> QueryResult<Vec<(i64, i64)>>;
}

/// The runs of a span in which there may be what is sought, in the order of reading.
#[derive(Debug)]
pub(crate) struct Runs<S> {
    sought: S,
    order: Order,
    /// Where parts are still to be looked up.
    rest: Option<Span>,
    most: i64,
    found: VecDeque<Span>,
    /// The open rows, where they are still to come.
    open: Option<Span>,
}

impl<S: Sought> Runs<S> {
    pub(crate) fn of(conn: &mut SqliteConnection, sought: S, span: Span, order: Order) -> QueryResult<Self> {
        let closed = sought.closed(conn)?;
        let rest = closed.map(|closed| span.and(Span { after: None, before: closed.checked_add(1) }));
        let mut runs = Self { sought, order, rest, most: S::FIRST_PARTS, found: VecDeque::new(), open: None };
        let open = span.and(Span { after: closed, before: None });
        if closed.is_none() || order == Order::Descending {
            runs.found.push_back(open);
        } else {
            runs.open = Some(open);
        }
        Ok(runs)
    }

    /// The next run; `None` when there is no more.
    pub(crate) fn next(&mut self, conn: &mut SqliteConnection) -> QueryResult<Option<Span>> {
        // The last one found may go on in what is found next.
        while self.found.len() < 2
            && let Some(rest) = self.rest
        {
            self.look_in(conn, rest)?;
        }
        Ok(self.found.pop_front())
    }

    fn look_in(&mut self, conn: &mut SqliteConnection, span: Span) -> QueryResult<()> {
        let parts = self.sought.parts(conn, span, self.order, self.most)?;
        self.rest = match parts.last() {
            Some((first, last)) if parts.len() as i64 == self.most => {
                span.split(self.order, if self.order == Order::Ascending { *last } else { *first }).1
            }
            _ => None,
        };
        self.most = self.most.saturating_mul(4);
        for (first, last) in parts {
            self.push(Span::including(first, last).and(span));
        }
        if self.rest.is_none()
            && let Some(open) = self.open.take()
        {
            self.push(open);
        }
        Ok(())
    }

    fn push(&mut self, run: Span) {
        match self.found.back_mut() {
            Some(back) if let Some(joined) = back.joined(run, self.order) => *back = joined,
            _ => self.found.push_back(run),
        }
    }
}
