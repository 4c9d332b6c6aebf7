use std::hint::black_box;

use activity_log::{ActivityLogEntry, ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, Utc};

use crate::databases::Log;
use crate::entries::{RARE_TERM, entries, planned};
use crate::peer::{BenchResult, Matching, Peer};

const PAGE: u32 = 50;
const RECORDED: usize = 5_000;
const RECORDED_ALL: usize = 20_000;
const EXPORTED: usize = 200_000;
const WINDOW: usize = 43_000;
const COUNTED_UP_TO: u64 = 1_001;
const COUNTED: [&str; 2] = ["auth", "device"];

/// One row of the table.
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) log: Log,
    pub(crate) work: Work,
    pub(crate) rounds: usize,
    /// The number of calls per turn, for operations that are too short to time once.
    pub(crate) calls: u32,
    /// The maximum ratio of activity-log's time to the time of the hand-written code.
    pub(crate) goal: Option<f64>,
}

pub(crate) enum Work {
    Record(Vec<NewActivityLogEntry>),
    RecordAll(Vec<NewActivityLogEntry>),
    Page(Matching),
    Count,
    CountUpTo(u64),
    Prune { before_ts: DateTime<Utc>, at_once: bool },
    Export(usize),
}

/// The result that is compared across the competitors, so that none of them does less work.
#[derive(Debug, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) number: u64,
    entries: Vec<ActivityLogEntry>,
    next_before_seq: Option<i64>,
}

impl Work {
    /// Whether the work changes the log.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::Record(_) | Self::RecordAll(_) | Self::Prune { .. })
    }

    /// Does the work, and returns a number that is the same for all competitors.
    pub(crate) fn perform(&self, peer: &mut dyn Peer) -> BenchResult<u64> {
        match self {
            Self::Record(entries) => Ok(peer.record(entries)?.unsigned_abs()),
            Self::RecordAll(entries) => peer.record_all(entries).map(|()| entries.len() as u64),
            Self::Page(matching) => Ok(black_box(peer.page(matching, PAGE)?).entries.len() as u64),
            Self::Count => peer.count(COUNTED),
            Self::CountUpTo(most) => peer.count_up_to(COUNTED, *most),
            Self::Prune { before_ts, at_once } => peer.prune(*before_ts, *at_once),
            Self::Export(rows) => {
                let mut exported = 0;
                peer.export(*rows, &mut |entry| {
                    black_box(entry);
                    exported += 1;
                })?;
                Ok(exported)
            }
        }
    }

    /// Does the work without timing it, and returns the complete result.
    pub(crate) fn evidence(&self, peer: &mut dyn Peer) -> BenchResult<Evidence> {
        let number = self.perform(peer)?;
        let mut entries = Vec::new();
        let mut next_before_seq = None;
        match self {
            Self::Record(written) | Self::RecordAll(written) => {
                entries = peer.page(&Matching::Everything, u32::try_from(written.len())?)?.entries;
                if !entries.iter().rev().cloned().map(NewActivityLogEntry::from).eq(written.iter().cloned()) {
                    return Err("the written entries do not read back".into());
                }
            }
            Self::Page(matching) => {
                let page = peer.page(matching, PAGE)?;
                (entries, next_before_seq) = (page.entries, page.next_before_seq);
            }
            Self::Count | Self::CountUpTo(_) => {}
            Self::Prune { .. } => peer.export(RECORDED, &mut |entry| entries.push(entry))?,
            Self::Export(rows) => peer.export(*rows, &mut |entry| entries.push(entry))?,
        }
        Ok(Evidence { number, entries, next_before_seq })
    }
}

/// The rows of the table, for logs of these sizes.
pub(crate) fn operations(small_rows: usize, full_rows: usize) -> BenchResult<Vec<Operation>> {
    let in_full = |name: &str, work, rounds, calls| Operation {
        name: name.to_owned(),
        log: Log::Full,
        work,
        rounds,
        calls,
        goal: None,
    };
    let page = |name: &str, matching, rounds, calls| in_full(name, Work::Page(matching), rounds, calls);
    let window = WINDOW.min(full_rows / 5);
    let exported = EXPORTED.min(full_rows);
    let far = full_rows / 10;

    let mut operations = vec![
        Operation {
            goal: Some(1.3),
            log: Log::Small,
            ..in_full(
                &format!("record {RECORDED}, one by one in one transaction"),
                Work::Record(entries(small_rows..small_rows + RECORDED)?),
                15,
                1,
            )
        },
        Operation {
            goal: Some(1.2),
            log: Log::Small,
            ..in_full(
                &format!("record_all of {RECORDED_ALL}"),
                Work::RecordAll(entries(small_rows..small_rows + RECORDED_ALL)?),
                11,
                1,
            )
        },
        Operation { goal: Some(1.15), ..page("page of 50, newest", Matching::Everything, 101, 20) },
        Operation {
            goal: Some(1.15),
            ..page("page of 50, deep", Matching::OlderThan { seq: (full_rows / 2) as i64 }, 101, 20)
        },
        page(
            "page of 50, category and severity",
            Matching::CategoryAndSeverity { category: "device", severity: ActivitySeverity::Error },
            51,
            5,
        ),
        page(
            &format!("page of 50, far window of {window}"),
            Matching::Between { since: planned(far)?, until: planned(far + window)? },
            15,
            1,
        ),
        page("page of 50, rare text", Matching::MessageContains { term: RARE_TERM }, 7, 1),
        Operation {
            log: Log::Searchable,
            ..page("page of 50, rare text, search enabled", Matching::MessageContains { term: RARE_TERM }, 7, 1)
        },
    ];
    let before_ts = planned(full_rows * 3 / 10)?;
    operations.extend([
        in_full("count, two categories", Work::Count, 21, 1),
        in_full(&format!("count up to {COUNTED_UP_TO}, two categories"), Work::CountUpTo(COUNTED_UP_TO), 101, 20),
        Operation { goal: Some(1.05), ..in_full(&format!("export of {exported}"), Work::Export(exported), 15, 1) },
        in_full("prune of 30 %", Work::Prune { before_ts, at_once: false }, 5, 1),
        in_full("prune of 30 %, in one transaction", Work::Prune { before_ts, at_once: true }, 5, 1),
    ]);
    Ok(operations)
}
