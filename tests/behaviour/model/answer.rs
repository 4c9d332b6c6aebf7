//! What a log answers, in a form in which logs can be compared.

use activity_log::{ActivityLogEntry, ActivityLogPage, Error, Facets, SeverityCounts, export};

use crate::support::TestResult;

/// An answer. Each `seq` is the position of an entry.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Recorded(i64),
    Entries(Vec<ActivityLogEntry>),
    Page(ActivityLogPage),
    Seq(Option<i64>),
    Number(u64),
    Facets(Facets),
    Histogram(Vec<SeverityCounts>),
    /// An export, in each format.
    Files([String; 2]),
    Refused(Refusal),
}

/// An error by what it names.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    Entry { index: usize, field: &'static str },
    DuplicateId { index: usize },
    Filter { field: &'static str },
    NotRewritten { position: i64 },
}

impl Answer {
    /// The entries in each format of an export.
    pub(crate) fn files(entries: &[ActivityLogEntry]) -> activity_log::Result<Self> {
        let (mut ndjson, mut csv) = (Vec::new(), Vec::new());
        export::write_ndjson(entries.iter().cloned().map(Ok), &mut ndjson)?;
        #[cfg(feature = "csv")]
        export::write_csv(entries.iter().cloned().map(Ok), &mut csv)?;
        csv.shrink_to_fit();
        Ok(Self::Files([ndjson, csv].map(|file| file.escape_ascii().to_string())))
    }
}

/// The numbers that a log gave to its entries, in their order. They may have gaps.
#[derive(Debug, Default)]
pub(crate) struct Numbers(pub(crate) Vec<i64>);

impl Numbers {
    pub(crate) fn last(&self) -> i64 {
        self.0.last().copied().unwrap_or(0)
    }

    /// Adds the numbers of the entries that were recorded next.
    pub(crate) fn extend(&mut self, seqs: impl IntoIterator<Item = i64>) {
        for seq in seqs {
            assert!(seq > self.last(), "{seq} after {}", self.last());
            self.0.push(seq);
        }
    }

    /// The cursor at a position. Beyond the last entry it is as far beyond its number.
    pub(crate) fn cursor(&self, position: i64) -> i64 {
        match usize::try_from(position) {
            Ok(0) | Err(_) => position,
            Ok(place) => self.0.get(place - 1).copied().unwrap_or_else(|| {
                let beyond = position - self.0.len() as i64;
                self.last().saturating_add(beyond)
            }),
        }
    }

    /// The position of the last entry up to a number: two cursors after the same entry are the same.
    pub(crate) fn up_to(&self, seq: i64) -> i64 {
        self.0.partition_point(|given| *given <= seq) as i64
    }

    /// The position of the first entry from a number on.
    pub(crate) fn from(&self, seq: i64) -> i64 {
        self.0.partition_point(|given| *given < seq) as i64 + 1
    }

    pub(crate) fn entries(&self, entries: Vec<ActivityLogEntry>) -> Vec<ActivityLogEntry> {
        entries.into_iter().map(|entry| ActivityLogEntry { seq: self.up_to(entry.seq), ..entry }).collect()
    }

    pub(crate) fn page(&self, page: ActivityLogPage) -> Answer {
        Answer::Page(ActivityLogPage {
            entries: self.entries(page.entries),
            next_before_seq: page.next_before_seq.map(|seq| self.from(seq)),
            prev_after_seq: page.prev_after_seq.map(|seq| self.up_to(seq)),
        })
    }

    /// An error that the operation explains.
    pub(crate) fn refusal(&self, error: Error) -> TestResult<Answer> {
        Ok(Answer::Refused(match error {
            Error::InvalidEntry { index, field, .. } => Refusal::Entry { index, field },
            Error::DuplicateId { index } => Refusal::DuplicateId { index },
            Error::InvalidFilter { field, .. } => Refusal::Filter { field },
            Error::NotRewritten { seq, .. } => Refusal::NotRewritten { position: self.up_to(seq) },
            other => return Err(other.into()),
        }))
    }
}
