//! The queue of a recorder is bounded, and its policy says what happens to what it has no room for.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Wake};
use std::thread;
use std::time::Duration;

use activity_log::{ActivityCategory, ActivitySeverity, QueuePolicy, Recorder, RecorderError, RecorderOptions};
use chrono::{DateTime, Utc};

use crate::behaviour::recorder::{
    A_MINUTE, block_on, ids, reason, start, start_away, start_away_with, stored, stored_ids,
};
use crate::support::{TestResult, numbered};

/// Room for this many entries, of which the recorder's thread holds one.
fn room_for(entries: usize, policy: QueuePolicy) -> RecorderOptions {
    RecorderOptions::new().queue_entries(entries).policy(policy)
}

/// Tells when it is woken.
struct Tell(Sender<()>);

impl Wake for Tell {
    fn wake(self: Arc<Self>) {
        self.0.send(()).ok();
    }
}

/// Why the recorder does not take an entry.
fn refusal(recorder: &Recorder, number: i64) -> TestResult<RecorderError> {
    let refused = recorder.try_record(numbered(number)).err().ok_or("it was taken")?;
    let reason = refused.reason();
    assert_eq!(refused.into_inner(), numbered(number));
    Ok(reason)
}

#[test]
fn a_full_queue_that_refuses_gives_the_entry_back_at_once() -> TestResult {
    let (log, recorder, database) = start_away(room_for(3, QueuePolicy::Refuse))?;
    recorder.try_record(numbered(1))?;
    recorder.try_record(numbered(2))?;
    assert_eq!(refusal(&recorder, 3)?, RecorderError::QueueFull);
    let refused = recorder.try_record_all(vec![numbered(3), numbered(4)]).err().ok_or("they were taken")?;
    assert_eq!(refused.into_inner(), [numbered(3), numbered(4)]);
    let error = recorder.record(numbered(5)).wait();
    assert!(error.as_ref().is_err_and(activity_log::Error::is_retryable), "{error:?}");
    assert_eq!(recorder.health().refused, 4);
    drop(database);
    recorder.flush().wait()?;
    recorder.try_record(numbered(3))?.wait()?;
    assert_eq!(stored_ids(&log)?, ids(0..=3));
    Ok(())
}

#[test]
fn a_full_queue_that_blocks_lets_a_caller_wait_for_room() -> TestResult {
    let (log, recorder, database) = start_away(room_for(2, QueuePolicy::Block { at_most: A_MINUTE }))?;
    recorder.record(numbered(1));
    let (queued, queuing) = channel();
    let waiting = {
        let recorder = recorder.clone();
        thread::spawn(move || {
            let receipt = recorder.record(numbered(2));
            queued.send(()).ok();
            receipt.wait()
        })
    };
    assert!(queuing.recv_timeout(Duration::from_millis(50)).is_err(), "there is no room");
    drop(database);
    waiting.join().map_err(|_| "the thread panicked")??;
    assert_eq!(stored_ids(&log)?, ids(0..=2));
    Ok(())
}

#[test]
fn a_task_waits_for_room_without_a_thread() -> TestResult {
    let (log, recorder, database) = start_away(room_for(2, QueuePolicy::Refuse))?;
    recorder.record(numbered(1));
    let (woken, waking) = channel();
    let mut waiting = pin!(recorder.record_when_room(numbered(2)));
    let waker = Arc::new(Tell(woken)).into();
    let mut context = Context::from_waker(&waker);
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    drop(database);
    waking.recv_timeout(A_MINUTE)?;
    block_on(waiting)?.wait()?;
    assert_eq!(stored_ids(&log)?, ids(0..=2));
    Ok(())
}

#[test]
fn a_task_that_no_longer_waits_for_room_is_forgotten() -> TestResult {
    let (_log, recorder, _database) = start_away(room_for(1, QueuePolicy::Refuse))?;
    let task = Arc::new(Tell(channel().0));
    let waker = Arc::clone(&task).into();
    let mut waiting = Box::pin(recorder.record_when_room(numbered(1)));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((waiting, waker));
    assert_eq!(Arc::strong_count(&task), 1);
    Ok(())
}

#[test]
fn a_task_that_waits_for_room_has_its_entry_back_when_the_recorder_ends() -> TestResult {
    let (_log, recorder, _database) = start_away(room_for(1, QueuePolicy::Refuse))?;
    let waiting = {
        let recorder = recorder.clone();
        thread::spawn(move || block_on(recorder.record_when_room(numbered(1))))
    };
    // What was under way is of no interest.
    drop(recorder.shutdown(Duration::ZERO));
    let refused = waiting.join().map_err(|_| "the thread panicked")?.err().ok_or("it was taken")?;
    assert_eq!((refused.reason(), refused.into_inner()), (RecorderError::ShutDown, numbered(1)));
    Ok(())
}

#[test]
fn a_task_waits_until_the_queue_is_empty_with_more_than_it_can_hold() -> TestResult {
    let (log, recorder, database) = start_away(room_for(2, QueuePolicy::Refuse))?;
    let mut waiting = pin!(recorder.record_all_when_room((1..=3).map(numbered).collect()));
    let (woken, waking) = channel();
    let waker = Arc::new(Tell(woken)).into();
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(database);
    waking.recv_timeout(A_MINUTE)?;
    assert_eq!(block_on(waiting)?.wait()?.len(), 3);
    assert_eq!(stored_ids(&log)?, ids(0..=3));
    Ok(())
}

#[test]
fn what_waits_in_the_queue_can_be_withdrawn() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let [first, second, third] = [1, 2, 3].map(|number| recorder.record(numbered(number)));
    let together = recorder.record_all(vec![numbered(4), numbered(5)]);
    recorder.withdraw(&second);
    recorder.withdraw(&together);
    assert_eq!(reason(second.wait())?, RecorderError::Withdrawn);
    assert_eq!(reason(together.wait())?, RecorderError::Withdrawn);
    assert_eq!((recorder.health().queued_entries, recorder.health().withdrawn), (3, 3));
    drop(database);
    assert_eq!((first.wait()?, third.wait()?), (2, 3));
    assert_eq!(stored_ids(&log)?, ids([0, 1, 3]));
    Ok(())
}

#[test]
fn what_is_withdrawn_makes_room_for_waiting_callers() -> TestResult {
    let (log, recorder, database) = start_away(room_for(2, QueuePolicy::Block { at_most: A_MINUTE }))?;
    let receipt = recorder.record(numbered(1));
    let waiting = {
        let recorder = recorder.clone();
        thread::spawn(move || recorder.record(numbered(2)))
    };
    while recorder.health().waiting_callers == 0 {
        thread::yield_now();
    }
    recorder.withdraw(&receipt);
    let receipt = waiting.join().map_err(|_| "the thread panicked")?;
    drop(database);
    receipt.wait()?;
    assert_eq!(stored_ids(&log)?, ids([0, 2]));
    Ok(())
}

#[test]
fn what_waits_for_a_connection_can_be_withdrawn() -> TestResult {
    let (log, recorder, database, receipt) = start_away_with(RecorderOptions::new())?;
    let kept = recorder.record(numbered(2));
    recorder.withdraw(&receipt);
    assert_eq!(reason(receipt.wait())?, RecorderError::Withdrawn);
    drop(database);
    kept.wait()?;
    assert_eq!(stored_ids(&log)?, ids([2]));
    assert_eq!(recorder.health().queued_entries, 0);
    Ok(())
}

#[test]
fn what_is_recorded_already_cannot_be_withdrawn() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    let receipt = recorder.record(numbered(1));
    recorder.flush().wait()?;
    recorder.withdraw(&receipt);
    assert_eq!(receipt.wait()?, 1);
    assert_eq!(stored_ids(&log)?, ids([1]));
    Ok(())
}

#[test]
fn a_caller_that_waited_in_vain_has_its_entry_back() -> TestResult {
    let at_most = Duration::from_millis(20);
    let (_log, recorder, _database) = start_away(room_for(1, QueuePolicy::Block { at_most }))?;
    let reason = refusal(&recorder, 1)?;
    assert!(matches!(reason, RecorderError::StillFull { waited } if waited >= at_most), "{reason:?}");
    assert_eq!(recorder.health().refused, 1);
    Ok(())
}

#[test]
fn callers_that_wait_get_in_in_the_order_in_which_they_came() -> TestResult {
    let (log, recorder, database) = start_away(room_for(1, QueuePolicy::Block { at_most: A_MINUTE }))?;
    let mut threads = Vec::new();
    for number in 1..=20 {
        let other = recorder.clone();
        threads.push(thread::spawn(move || other.record(numbered(number)).wait()));
        // The next one comes only once this one waits.
        while recorder.health().waiting_callers < threads.len() {
            thread::yield_now();
        }
    }
    drop(database);
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    assert_eq!(stored_ids(&log)?, ids(0..=20));
    Ok(())
}

#[test]
fn a_queue_is_bounded_in_bytes_too() -> TestResult {
    let options = RecorderOptions::new().queue_bytes(10_000).policy(QueuePolicy::Refuse);
    let (_log, recorder, _database) = start_away(options)?;
    let mut long = numbered(1);
    long.metadata.insert("text".to_owned(), vec!["x".repeat(5_000)].into());
    recorder.try_record(long.clone())?;
    assert_eq!(recorder.try_record(long).err().ok_or("it was taken")?.reason(), RecorderError::QueueFull);
    recorder.try_record(numbered(2))?;
    let health = recorder.health();
    assert!(health.queued_entries == 3 && (5_000..10_000).contains(&health.queued_bytes), "{health:?}");
    Ok(())
}

#[test]
fn what_is_larger_than_the_queue_is_taken_when_the_queue_is_empty() -> TestResult {
    let (log, recorder, database) = start_away(room_for(2, QueuePolicy::Block { at_most: A_MINUTE }))?;
    let waiting = {
        let recorder = recorder.clone();
        thread::spawn(move || recorder.record_all((1..=10).map(numbered).collect()).wait())
    };
    drop(database);
    assert_eq!(waiting.join().map_err(|_| "the thread panicked")??.len(), 10);
    assert_eq!(stored_ids(&log)?, ids(0..=10));
    Ok(())
}

#[test]
fn dropped_entries_are_counted_in_one_entry_as_soon_as_there_is_room() -> TestResult {
    let (log, recorder, database) = start_away(room_for(2, QueuePolicy::DropNewest).actor("keeper"))?;
    let began = Utc::now();
    recorder.record(numbered(1));
    for number in 2..=5 {
        assert_eq!(reason(recorder.record(numbered(number)).wait())?, RecorderError::Dropped);
    }
    recorder.record_all(vec![numbered(6), numbered(7)]);
    let ended = Utc::now();
    assert_eq!((recorder.health().dropped, recorder.health().refused), (6, 0));
    drop(database);
    recorder.flush().wait()?;
    recorder.record(numbered(8)).wait()?;
    let stored = stored(&log)?;
    let [_, _, about, last] = stored.as_slice() else { return Err(format!("{stored:?}").into()) };
    assert_eq!(last.id, numbered(8).id);
    assert_eq!((about.action.as_str(), about.actor.as_str()), ("activity_log.dropped", "keeper"));
    assert_eq!((&about.category, about.severity), (&ActivityCategory::System, ActivitySeverity::Warning));
    assert_eq!(about.message, "6 entries were dropped because the queue was full");
    assert_eq!(about.metadata.get("dropped"), Some(&6.into()));
    let time = |key: &str| -> TestResult<DateTime<Utc>> {
        let text = about.metadata.get(key).and_then(|value| value.as_str()).ok_or("no time")?;
        Ok(DateTime::parse_from_rfc3339(text)?.to_utc())
    };
    // They are told to the microsecond.
    assert!(time("first")? >= began - chrono::TimeDelta::microseconds(1) && time("last")? <= ended);
    assert!(time("first")? <= time("last")?);
    Ok(())
}

#[test]
fn a_shutdown_that_cannot_write_gives_back_how_many_were_dropped() -> TestResult {
    let (_log, recorder, _database) = start_away(room_for(1, QueuePolicy::DropNewest))?;
    recorder.record(numbered(1));
    let unwritten = recorder.shutdown(Duration::ZERO);
    let [about] = unwritten.entries.as_slice() else { return Err(format!("{unwritten:?}").into()) };
    assert_eq!(about.metadata.get("dropped"), Some(&1.into()));
    Ok(())
}
