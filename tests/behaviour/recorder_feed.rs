//! A subscriber gets what a recorder commits, in order and as it is stored, and nobody waits for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use activity_log::{
    ActivityLogEntry, ActivityLogFilters, Error, NewActivityLogEntry, Recorder, RecorderOptions, Redactor,
    Subscription, Update,
};

use crate::behaviour::recorder::{A_MINUTE, block_on, start, start_away, stored};
use crate::database::ActivityLogRepository;
use crate::support::{TestResult, everything, numbered, seqs};

/// The next update, which is an entry.
fn next(subscription: &mut Subscription) -> TestResult<Arc<ActivityLogEntry>> {
    match subscription.recv_at_most(A_MINUTE) {
        Some(Update::Entry(entry)) => Ok(entry),
        other => Err(format!("{other:?}").into()),
    }
}

fn record(recorder: &Recorder, numbers: impl IntoIterator<Item = i64>) -> TestResult {
    recorder.record_all(numbers.into_iter().map(numbered).collect()).wait()?;
    Ok(())
}

#[test]
fn a_subscriber_gets_committed_entries_in_order_as_they_read_back() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new().redactor(Redactor::new(["token"])))?;
    record(&recorder, [1])?;
    let mut subscription = recorder.subscribe(everything(), 100)?;
    for number in 2..=9 {
        let mut entry =
            NewActivityLogEntry::new("odd\0", "a\0b", "é\0", "Text\0").entity("t\0", "i\0").entity_name("n\0");
        entry.metadata.insert("token".to_owned(), number.into());
        entry.metadata.insert("text\0".to_owned(), "\0".into());
        recorder.record(entry);
    }
    recorder.flush().wait()?;
    for entry in stored(&log)?.into_iter().skip(1) {
        assert_eq!(*next(&mut subscription)?, entry);
    }
    assert_eq!(subscription.try_recv(), None);
    Ok(())
}

#[test]
fn a_subscriber_gets_nothing_before_it_is_committed() -> TestResult {
    let (_log, recorder, database) = start_away(RecorderOptions::new())?;
    let mut subscription = recorder.subscribe(everything(), 100)?;
    recorder.record(numbered(1));
    assert_eq!(subscription.recv_at_most(Duration::from_millis(20)), None);
    drop(database);
    assert_eq!(next(&mut subscription)?.id, numbered(0).id);
    assert_eq!(next(&mut subscription)?.id, numbered(1).id);
    Ok(())
}

#[test]
fn a_subscriber_gets_what_its_filters_match_and_nothing_at_fault() -> TestResult {
    let (_log, recorder) = start(RecorderOptions::new())?;
    let filters = ActivityLogFilters { actors: vec!["alice".to_owned()], ..everything() };
    let mut subscription = recorder.subscribe(filters, 100)?;
    let by = |actor: &str, id: &str| NewActivityLogEntry::new("auth", "a", actor, "m").id(id);
    for entry in [by("alice", "1"), by("bob", "2"), by("alice", "1"), by("alice", "3")] {
        recorder.record(entry);
    }
    recorder.flush().wait()?;
    assert_eq!(next(&mut subscription)?.id, "1");
    assert_eq!(next(&mut subscription)?.id, "3");
    assert_eq!(subscription.try_recv(), None);
    Ok(())
}

#[test]
fn a_slow_subscriber_learns_what_it_has_missed_and_goes_on_by_query_after() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    let mut subscription = recorder.subscribe(everything(), 3)?;
    record(&recorder, 1..=10)?;
    let mut got = Vec::new();
    for _ in 0..3 {
        got.push(next(&mut subscription)?.seq);
    }
    record(&recorder, 11..=12)?;
    let Some(Update::Lagged(lagged)) = subscription.try_recv() else { return Err("it has missed nothing".into()) };
    assert_eq!(lagged.missed, 9);
    record(&recorder, 13..=14)?;
    let missed = ActivityLogRepository::new(&mut log.connect()?).query_after(&everything(), lagged.after_seq, 100)?;
    got.extend(seqs(&missed).into_iter().filter(|seq| *seq <= lagged.through_seq));
    for _ in 0..2 {
        got.push(next(&mut subscription)?.seq);
    }
    assert_eq!(got, seqs(&stored(&log)?));
    Ok(())
}

#[test]
fn a_subscriber_that_is_never_read_holds_up_nobody() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    let _subscription = recorder.subscribe(everything(), 1)?;
    record(&recorder, 1..=5_000)?;
    record(&recorder, 5_001..=5_002)?;
    assert_eq!(stored(&log)?.len(), 5_002);
    Ok(())
}

#[test]
fn a_subscription_waits_on_any_executor() -> TestResult {
    let (_log, recorder) = start(RecorderOptions::new())?;
    let mut subscription = recorder.subscribe(everything(), 10)?;
    let waiting = thread::spawn(move || block_on(subscription.next()));
    recorder.record(numbered(1)).wait()?;
    let Some(Update::Entry(entry)) = waiting.join().map_err(|_| "the thread panicked")? else {
        return Err("no entry".into());
    };
    assert_eq!(entry.id, numbered(1).id);
    Ok(())
}

#[test]
fn a_subscription_ends_with_the_recorder_once_everything_is_read() -> TestResult {
    let (_log, recorder) = start(RecorderOptions::new())?;
    let mut subscription = recorder.subscribe(everything(), 10)?;
    recorder.record(numbered(1));
    assert!(recorder.shutdown(A_MINUTE).is_empty());
    assert_eq!(next(&mut subscription)?.id, numbered(1).id);
    assert_eq!(subscription.recv(), None);
    assert_eq!(block_on(subscription.next()), None);
    assert_eq!(recorder.subscribe(everything(), 10)?.recv(), None);
    Ok(())
}

#[test]
fn a_filter_that_cannot_be_run_cannot_be_subscribed_to() -> TestResult {
    let (_log, recorder) = start(RecorderOptions::new())?;
    let actors = (0..40_000).map(|number| number.to_string()).collect::<BTreeSet<_>>();
    let filters = ActivityLogFilters { actors: actors.into_iter().collect(), ..everything() };
    let refused = recorder.subscribe(filters, 10);
    assert!(matches!(refused, Err(Error::InvalidFilter { .. })), "{refused:?}");
    Ok(())
}
