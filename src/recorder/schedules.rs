//! The queue in many orders in which its threads may run: callers, some of whom withdraw what they queued, the recorder's
//! thread, and who shuts it down.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::error::recorder::RecorderError;
use crate::model::entry::NewActivityLogEntry;
use crate::recorder::load::Load;
use crate::recorder::policy::QueuePolicy;
use crate::recorder::shared::Shared;
use crate::store::group::Outcome;

const SCHEDULES: usize = 5_000;
const CALLERS: usize = 3;
const ENTRIES: usize = 2;
const FOREVER: Duration = Duration::from_secs(60 * 60);

fn try_schedules(body: fn()) {
    shuttle::check_random(body, SCHEDULES);
    shuttle::check_pct(body, SCHEDULES, 3);
}

fn queue(entries: usize, policy: QueuePolicy) -> Arc<Shared> {
    Arc::new(Shared::new(Load { entries, bytes: usize::MAX }, policy, "recorder".to_owned(), true))
}

/// Does what the recorder's thread does, and returns the ids that it has written. Some attempts fail halfway.
fn write(shared: &Shared) -> Vec<String> {
    let mut written = Vec::new();
    while let Some(batch) = shared.next_batch(Load { entries: 2, bytes: usize::MAX }) {
        if thread_rng().gen_bool(0.7) {
            shared.begin(&batch);
        } else {
            // The connection is refused.
            shared.finish(&batch);
            continue;
        }
        let unwritten = batch.iter().filter(|queued| !queued.is_answered()).collect::<Vec<_>>();
        let count = if thread_rng().gen_bool(0.3) { unwritten.len() / 2 } else { unwritten.len() };
        let outcomes = unwritten.into_iter().take(count).map(|queued| {
            written.extend(queued.entries.iter().map(|entry| entry.id.clone()));
            (queued, Ok(vec![written.len() as i64; queued.entries.len()]))
        });
        let outcomes = outcomes.collect::<Vec<(_, Outcome)>>();
        shared.settle(outcomes.iter().map(|(queued, outcome)| (*queued, outcome)));
        outcomes.into_iter().for_each(|(queued, outcome)| queued.slot.answer(outcome));
        shared.finish(&batch);
    }
    shared.end();
    written
}

/// What a caller learned about its entries.
#[derive(Default)]
struct Learned {
    written: Vec<String>,
    unwritten: Vec<String>,
}

fn record(shared: &Shared, caller: usize) -> Learned {
    let mut learned = Learned::default();
    for number in 0..ENTRIES {
        let id = format!("{caller} {number}");
        let entry = NewActivityLogEntry::new("system", "tick", "clock", "Tick").id(id.clone());
        let answer = match shared.admit(Load { entries: 1, bytes: 1 }) {
            Ok(place) => {
                let slot = place.take(vec![entry]);
                if thread_rng().gen_bool(0.3) {
                    shared.withdraw(&slot);
                }
                slot.wait_until(None)
            }
            Err(reason) => Some(Err(reason.into())),
        };
        // A receipt that is never answered would be a deadlock, which the tests find.
        let is_written = answer.is_some_and(|answer| answer.is_ok());
        if is_written { &mut learned.written } else { &mut learned.unwritten }.push(id);
    }
    learned
}

/// Runs callers, and shuts down when they are done or at any moment.
fn run(shared: &Arc<Shared>, waits_for_callers: bool, at_most: Duration) {
    let writer = {
        let shared = Arc::clone(shared);
        thread::spawn(move || write(&shared))
    };
    let callers = (0..CALLERS).map(|caller| {
        let shared = Arc::clone(shared);
        thread::spawn(move || record(&shared, caller))
    });
    let callers = callers.collect::<Vec<_>>();
    let mut learned = Vec::new();
    let join = |learned: &mut Vec<Learned>, callers: Vec<thread::JoinHandle<Learned>>| {
        learned.extend(callers.into_iter().filter_map(|caller| caller.join().ok()));
    };
    let unwritten = if waits_for_callers {
        join(&mut learned, callers);
        shared.shut_down(at_most)
    } else {
        let unwritten = shared.shut_down(at_most);
        join(&mut learned, callers);
        unwritten
    };
    let written = writer.join().unwrap_or_default();
    assert_eq!(learned.len(), CALLERS);

    let told = learned.iter().flat_map(|learned| &learned.written).collect::<BTreeSet<_>>();
    let hosts = written.iter().filter(|id| id.contains(' ')).collect::<BTreeSet<_>>();
    assert_eq!(told, hosts, "each receipt tells the truth");
    assert!(unwritten.entries.iter().all(|entry| !written.contains(&entry.id)), "what is given back is not written");
    for caller in 0..CALLERS {
        let prefix = format!("{caller} ");
        assert!(written.iter().filter(|id| id.starts_with(&prefix)).is_sorted(), "in order");
    }
    let state = shared.state();
    assert_eq!((state.load, state.turns.len(), state.queue.len()), (Load::default(), 0, 0));
    if waits_for_callers && at_most == FOREVER && state.counts.dropped == 0 {
        assert_eq!(written.len() as u64 + state.counts.withdrawn, (CALLERS * ENTRIES) as u64);
    }
}

#[test]
fn every_receipt_is_answered_while_callers_wait_for_room() {
    try_schedules(|| run(&queue(1, QueuePolicy::Block { at_most: FOREVER }), true, FOREVER));
}

#[test]
fn a_shutdown_at_any_moment_answers_everybody() {
    try_schedules(|| run(&queue(2, QueuePolicy::Block { at_most: FOREVER }), false, FOREVER));
}

#[test]
fn a_shutdown_without_time_at_any_moment_answers_everybody() {
    try_schedules(|| run(&queue(2, QueuePolicy::Block { at_most: FOREVER }), false, Duration::ZERO));
}

#[test]
fn what_is_dropped_is_always_counted() {
    try_schedules(|| {
        let shared = queue(1, QueuePolicy::DropNewest);
        run(&shared, true, FOREVER);
        let state = shared.state();
        let about = state.counts.recorded + state.counts.dropped + state.counts.withdrawn - (CALLERS * ENTRIES) as u64;
        assert!(state.counts.dropped == 0 || about > 0, "{:?}", state.counts);
    });
}

#[test]
fn switching_off_takes_effect_only_once_it_is_written() {
    try_schedules(|| {
        let shared = queue(2, QueuePolicy::Block { at_most: FOREVER });
        let writer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || write(&shared))
        };
        let caller = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                loop {
                    match shared.admit(Load { entries: 1, bytes: 1 }) {
                        Ok(place) => {
                            drop(place.take(vec![NewActivityLogEntry::new("system", "tick", "clock", "Tick")]))
                        }
                        Err(reason) => break reason,
                    }
                    thread::yield_now();
                }
            })
        };
        let off = shared.switch(false, "alice").ok().and_then(|slot| slot.wait_until(None));
        assert!(off.is_some_and(|off| off.is_ok()));
        assert!(!shared.state().is_enabled);
        assert_eq!(caller.join().ok(), Some(RecorderError::SwitchedOff));
        assert!(shared.shut_down(FOREVER).is_empty());
        drop(writer.join());
    });
}
