use activity_log::{ActivityLogEntry, ActivitySeverity, NewActivityLogEntry};

use crate::entries::{entry, time};
use crate::peer::{BenchResult, Matching, PAGE, Page, Peer};

/// How many entries `record` writes in a turn, each in a transaction of its own, and `record_all` at once.
const RECORDED: u64 = 200;
const RECORDED_AT_ONCE: u64 = 1_000;
const EXPORTED: usize = 200_000;
/// How many entries the time window has.
const IN_WINDOW: u64 = 43_000;

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    /// How many times as long as its own statements by hand activity-log may take.
    pub(crate) goal: Option<f64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Work {
    Record,
    RecordAll,
    Page(Matching),
    CountUpTo(&'static str),
    Export(usize),
}

/// What an operation returned.
#[derive(PartialEq)]
pub(crate) enum Outcome {
    Page(Page),
    Number(i64),
    Entries(Vec<ActivityLogEntry>),
}

/// The operations on a log of so many entries: first those that read.
pub(crate) fn operations(rows: u64) -> Vec<Operation> {
    let page = |name, matching| Operation { name, work: Work::Page(matching), goal: Some(1.15) };
    let between =
        Matching::Between { since: time(rows / 4, rows), until: time(rows / 4 + IN_WINDOW.min(rows / 4), rows) };
    let deep = Matching::OlderThan { seq: i64::try_from(rows / 2).unwrap_or(i64::MAX) };
    let kind = Matching::CategoryAndSeverity;
    let exported = EXPORTED.min(usize::try_from(rows).unwrap_or(usize::MAX));
    vec![
        page("page of 50, newest", Matching::Everything),
        page("page of 50, deep", deep),
        page("page of 50, busy actor", Matching::Actor("user_01")),
        page("page of 50, quiet actor", Matching::Actor("user_49")),
        page("page of 50, common category and severity", kind("device", ActivitySeverity::Warning)),
        page("page of 50, rare category", kind("billing", ActivitySeverity::Info)),
        page("page of 50, category and severity that never meet", kind("capture", ActivitySeverity::Error)),
        page("page of 50, actions beginning with `auth.`", Matching::ActionBeginning("auth.")),
        page("page of 50, actions beginning with `billing.`", Matching::ActionBeginning("billing.")),
        page("page of 50, far window of 43000", between),
        Operation { name: "count up to 10000, a category", work: Work::CountUpTo("device"), goal: None },
        Operation { name: "export of 200000", work: Work::Export(exported), goal: None },
        Operation { name: "record, in its own transaction", work: Work::Record, goal: Some(1.2) },
        Operation { name: "record_all of 1000", work: Work::RecordAll, goal: Some(1.2) },
    ]
}

/// Entries that no log has yet.
pub(crate) struct Source {
    next: u64,
    rows: u64,
}

impl Source {
    pub(crate) fn new(rows: u64) -> Self {
        Self { next: rows, rows }
    }

    fn take(&mut self, entries: u64) -> Vec<NewActivityLogEntry> {
        let taken = (self.next..self.next + entries).map(|number| entry(number, self.rows)).collect();
        self.next += entries;
        taken
    }
}

impl Work {
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Record | Self::RecordAll)
    }

    /// The entries to write in one turn.
    pub(crate) fn entries(self, source: &mut Source) -> Vec<NewActivityLogEntry> {
        match self {
            Self::Record => source.take(RECORDED),
            Self::RecordAll => source.take(RECORDED_AT_ONCE),
            _ => Vec::new(),
        }
    }

    /// For how many operations the time of one turn is.
    pub(crate) fn units(self) -> u32 {
        if matches!(self, Self::Record) { RECORDED as u32 } else { 1 }
    }

    /// What is timed.
    pub(crate) fn perform(self, peer: &mut dyn Peer, entries: &[NewActivityLogEntry]) -> BenchResult {
        match self {
            Self::Record => entries.iter().try_for_each(|entry| peer.record(entry)),
            Self::RecordAll => peer.record_all(entries),
            Self::Page(matching) => peer.page(&matching).map(drop),
            Self::CountUpTo(category) => peer.count_up_to(category).map(drop),
            Self::Export(rows) => {
                let mut exported = 0;
                peer.export(rows, &mut |_| exported += 1)?;
                if exported == rows { Ok(()) } else { Err(format!("{exported} entries instead of {rows}").into()) }
            }
        }
    }

    /// What all peers must return. Of what they write, the newest page, without its numbers.
    pub(crate) fn outcome(self, peer: &mut dyn Peer, source: &mut Source) -> BenchResult<Outcome> {
        Ok(match self {
            Self::Page(matching) => Outcome::Page(peer.page(&matching)?),
            Self::CountUpTo(category) => Outcome::Number(peer.count_up_to(category)?),
            Self::Export(rows) => {
                let mut entries = Vec::new();
                peer.export(rows.min(10_000), &mut |entry| entries.push(entry))?;
                Outcome::Entries(entries)
            }
            Self::Record | Self::RecordAll => {
                let entries = self.entries(source);
                self.perform(peer, &entries)?;
                let read = peer.page(&Matching::Everything)?.entries.into_iter().map(NewActivityLogEntry::from);
                if !read.eq(entries.into_iter().rev().take(PAGE as usize)) {
                    return Err("what was recorded does not read back".into());
                }
                Outcome::Number(0)
            }
        })
    }
}
