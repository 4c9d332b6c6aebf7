//! Whatever is recorded, and whatever gets in the way, the log is what a plain list would be.

use std::collections::BTreeSet;

use activity_log::{Error, NewActivityLogEntry, Receipt, Recorder, RecorderOptions};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::behaviour::recorder::stored_ids;
use crate::database::{Connection, SharedLog, hold_up_writers};
use crate::support::{TestResult, numbered};

#[derive(Debug, Clone)]
enum Operation {
    /// Entries that are recorded together, or one alone.
    Record(Vec<NewActivityLogEntry>),
    /// Another connection takes the lock, if it has not got it.
    Lock,
    /// It lets go.
    Unlock,
    Flush,
}

/// Few ids, so that many are taken.
fn entry() -> impl Strategy<Value = NewActivityLogEntry> {
    (0_i64..60, prop::bool::weighted(0.1)).prop_map(|(number, is_invalid)| {
        let entry = numbered(number);
        if is_invalid { NewActivityLogEntry { action: "x".repeat(300), ..entry } } else { entry }
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        12 => vec(entry(), 1).prop_map(Operation::Record),
        5 => vec(entry(), 0..5).prop_map(Operation::Record),
        1 => Just(Operation::Lock),
        2 => Just(Operation::Unlock),
        1 => Just(Operation::Flush),
    ]
}

/// What becomes of entries that are recorded together.
#[derive(Debug, PartialEq)]
enum Fate {
    Written(usize),
    Invalid(usize),
    Duplicate(usize),
}

#[derive(Default)]
struct Model {
    ids: Vec<String>,
}

impl Model {
    fn record(&mut self, entries: &[NewActivityLogEntry]) -> Fate {
        if let Some(index) = entries.iter().position(|entry| entry.action.len() > 256) {
            // Where entries are written one by one, one before it may be found to be taken first.
            let taken = self.first_taken(entries);
            return taken.filter(|taken| *taken < index).map_or(Fate::Invalid(index), Fate::Duplicate);
        }
        if let Some(index) = self.first_taken(entries) {
            return Fate::Duplicate(index);
        }
        self.ids.extend(entries.iter().map(|entry| entry.id.clone()));
        Fate::Written(entries.len())
    }

    fn first_taken(&self, entries: &[NewActivityLogEntry]) -> Option<usize> {
        let mut seen = self.ids.iter().collect::<BTreeSet<_>>();
        entries.iter().position(|entry| !seen.insert(&entry.id))
    }
}

fn fate(receipt: Receipt<Vec<i64>>) -> TestResult<Fate> {
    Ok(match receipt.wait() {
        Ok(seqs) => {
            assert!(seqs.is_sorted());
            Fate::Written(seqs.len())
        }
        Err(Error::InvalidEntry { index, field: "action", .. }) => Fate::Invalid(index),
        Err(Error::DuplicateId { index }) => Fate::Duplicate(index),
        Err(error) => return Err(error.into()),
    })
}

/// Whether one is as good as the other: with two faults, databases differ in which they find first.
fn agree(one: &Fate, other: &Fate) -> bool {
    one == other
        || matches!((one, other), (Fate::Invalid(_) | Fate::Duplicate(_), Fate::Invalid(_) | Fate::Duplicate(_)))
}

fn run(operations: Vec<Operation>, batch: usize) -> TestResult {
    let log = SharedLog::create()?;
    let mut locker = None::<Connection>;
    let recorder = Recorder::start(log.connector(), RecorderOptions::new().batch_entries(batch))?;
    let mut model = Model::default();
    let mut receipts = Vec::new();
    for operation in operations {
        match operation {
            Operation::Record(entries) => {
                let expected = model.record(&entries);
                receipts.push((expected, recorder.record_all(entries)));
            }
            Operation::Lock if locker.is_none() => hold_up_writers(locker.insert(log.connect()?))?,
            Operation::Lock => {}
            Operation::Unlock => locker = None,
            Operation::Flush => {
                locker = None;
                recorder.flush().wait()?;
                assert_eq!(stored_ids(&log)?, model.ids);
            }
        }
    }
    drop(locker);
    for (expected, receipt) in receipts {
        let fate = fate(receipt)?;
        assert!(agree(&fate, &expected), "{fate:?} instead of {expected:?}");
    }
    assert_eq!(stored_ids(&log)?, model.ids);
    let health = recorder.health();
    assert_eq!((health.recorded, health.queued_entries, health.queued_bytes), (model.ids.len() as u64, 0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_recorder_writes_what_a_plain_list_would_hold(operations in vec(operation(), 1..120), batch in 1_usize..50) {
        run(operations, batch).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
