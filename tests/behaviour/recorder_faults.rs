//! A fault of one entry is that entry's, and a fault of the database makes a recorder wait, not lose.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use activity_log::{Error, NewActivityLogEntry, Receipt, Recorder, RecorderError, RecorderOptions};
use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection};

use crate::behaviour::recorder::{A_MINUTE, ids, reason, start, start_away, stored_ids};
use crate::database::{Connection, SharedLog, hold_up_writers};
use crate::support::{TestResult, numbered};

fn too_long(number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry { actor: "x".repeat(2_000), ..numbered(number) }
}

/// Options of a recorder, and the text of each failure that it reports.
fn reporting() -> (RecorderOptions, Receiver<String>) {
    let (failed, failures) = channel();
    (RecorderOptions::new().on_failure(move |failure| drop(failed.send(failure.error.to_string()))), failures)
}

/// Connects to the log, after this many attempts that fail.
fn away_at_first(
    log: &SharedLog,
    attempts: usize,
) -> impl FnMut() -> activity_log::Result<Connection> + Send + 'static {
    let mut connect = log.connector();
    let mut left = attempts;
    move || {
        if left == 0 {
            return connect();
        }
        left -= 1;
        Err(Error::Output(io::Error::other("not yet")))
    }
}

#[test]
fn an_entry_at_fault_is_answered_with_its_own_error_and_its_neighbours_are_written() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let receipts = [numbered(1), too_long(2), numbered(3), numbered(0), numbered(1), numbered(4)];
    let receipts = receipts.map(|entry| recorder.record(entry));
    drop(database);
    let [one, two, three, zero, again, four] = receipts.map(Receipt::wait);
    assert!(matches!(two, Err(Error::InvalidEntry { index: 0, field: "actor", .. })), "{two:?}");
    assert!(matches!(zero, Err(Error::DuplicateId { index: 0 })), "{zero:?}");
    assert!(matches!(again, Err(Error::DuplicateId { index: 0 })), "{again:?}");
    for written in [one, three, four] {
        written?;
    }
    assert_eq!(stored_ids(&log)?, ids([0, 1, 3, 4]));
    let health = recorder.health();
    assert_eq!((health.recorded, health.at_fault, health.queued_entries), (4, 3, 0));
    Ok(())
}

#[test]
fn of_entries_recorded_together_none_is_written_if_one_is_at_fault() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let before = recorder.record(numbered(1));
    let duplicate = recorder.record_all(vec![numbered(2), numbered(1), numbered(3)]);
    let invalid = recorder.record_all(vec![numbered(4), numbered(5), too_long(6)]);
    let twice = recorder.record_all(vec![numbered(7), numbered(7)]);
    let whole = recorder.record_all(vec![numbered(2), numbered(4)]);
    drop(database);
    before.wait()?;
    let (duplicate, invalid, twice) = (duplicate.wait(), invalid.wait(), twice.wait());
    assert!(matches!(duplicate, Err(Error::DuplicateId { index: 1 })), "{duplicate:?}");
    assert!(matches!(invalid, Err(Error::InvalidEntry { index: 2, field: "actor", .. })), "{invalid:?}");
    assert!(matches!(twice, Err(Error::DuplicateId { index: 1 })), "{twice:?}");
    assert_eq!(whole.wait()?.len(), 2);
    assert_eq!(stored_ids(&log)?, ids([0, 1, 2, 4]));
    Ok(())
}

#[test]
fn entries_that_the_host_refuses_fail_alone_wherever_they_are_in_a_batch() -> TestResult {
    let log = SharedLog::create()?;
    refuse_messages_of(&mut log.connect()?, "refused")?;
    let (come, coming) = channel::<()>();
    let mut connect = log.connector();
    let connect = move || {
        coming.recv().ok();
        connect()
    };
    let recorder = Recorder::start(connect, RecorderOptions::new())?;
    let is_refused = |number: i64| [0, 1, 500, 998, 999].contains(&number);
    let entries = (0..1_000).map(|number| match is_refused(number) {
        true => NewActivityLogEntry { actor: "refused".to_owned(), ..numbered(number) },
        false => numbered(number),
    });
    let receipts = entries.map(|entry| recorder.record(entry)).collect::<Vec<_>>();
    drop(come);
    for (number, receipt) in (0..).zip(receipts) {
        match receipt.wait() {
            Err(Error::Database(error)) => assert!(is_refused(number) && error.to_string().contains("no such actor")),
            outcome => assert!(outcome.is_ok() && !is_refused(number), "{number}: {outcome:?}"),
        }
    }
    assert_eq!(stored_ids(&log)?, ids((0..1_000).filter(|number| !is_refused(*number))));
    Ok(())
}

/// Makes the database refuse entries of an actor, with a message that tells nobody which kind of error it is.
fn refuse_messages_of(conn: &mut Connection, actor: &str) -> TestResult {
    Ok(conn.batch_execute(&crate::database::refusing_trigger(actor, "no such actor"))?)
}

#[test]
fn a_busy_database_makes_entries_wait_and_is_reported() -> TestResult {
    let (options, failures) = reporting();
    let (log, recorder) = start(options)?;
    recorder.record(numbered(1)).wait()?;
    let mut writer = log.connect()?;
    hold_up_writers(&mut writer)?;
    let receipts = (2..=10).map(|number| recorder.record(numbered(number))).collect::<Vec<_>>();
    for _ in 0..2 {
        assert!(failures.recv_timeout(A_MINUTE)?.contains("busy"));
    }
    let failure = recorder.health().failure.ok_or("no failure")?;
    assert!(failure.attempts >= 2 && matches!(*failure.error, Error::Busy(_)), "{failure:?}");
    drop(writer);
    for receipt in receipts {
        receipt.wait()?;
    }
    assert!(recorder.health().failure.is_none());
    assert_eq!(stored_ids(&log)?, ids(1..=10));
    Ok(())
}

#[test]
fn what_is_withdrawn_while_the_database_is_busy_is_not_recorded() -> TestResult {
    let (options, failures) = reporting();
    let (log, recorder) = start(options)?;
    recorder.record(numbered(1)).wait()?;
    let mut writer = log.connect()?;
    hold_up_writers(&mut writer)?;
    let receipts = (2..=10).map(|number| recorder.record(numbered(number))).collect::<Vec<_>>();
    failures.recv_timeout(A_MINUTE)?;
    let (even, odd) = receipts.into_iter().zip(2..).partition::<Vec<_>, _>(|(_, number)| number % 2 == 0);
    even.iter().for_each(|(receipt, _)| recorder.withdraw(receipt));
    for (receipt, _) in even {
        assert_eq!(reason(receipt.wait())?, RecorderError::Withdrawn);
    }
    drop(writer);
    for (receipt, _) in odd {
        receipt.wait()?;
    }
    assert_eq!(stored_ids(&log)?, ids([1, 3, 5, 7, 9]));
    assert_eq!(recorder.health().withdrawn, 5);
    Ok(())
}

#[test]
fn a_panic_that_may_have_come_after_the_commit_is_no_reason_to_withdraw() -> TestResult {
    let log = SharedLog::create()?;
    let mut connect = log.connector();
    let (entered, entering) = channel();
    let (leave, leaving) = channel::<()>();
    let mut gate = Some((entered, leaving));
    let connect = move || {
        let mut conn = connect()?;
        if let Some((entered, leaving)) = gate.take() {
            conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::FinishQuery { query, .. } = event
                    && query.to_string().starts_with("COMMIT")
                {
                    entered.send(()).ok();
                    leaving.recv().ok();
                    resume_unwind(Box::new("the host's instrumentation panics"));
                }
            });
        }
        Ok::<_, Error>(conn)
    };
    let recorder = Recorder::start(connect, RecorderOptions::new())?;
    let receipt = recorder.record(numbered(1));
    entering.recv_timeout(A_MINUTE)?;
    recorder.withdraw(&receipt);
    drop(leave);
    assert_eq!(receipt.wait()?, 1);
    assert_eq!(stored_ids(&log)?, ids([1]));
    Ok(())
}

#[test]
fn a_database_that_is_away_at_the_start_is_tried_until_it_is_there() -> TestResult {
    let log = SharedLog::create()?;
    let (options, failures) = reporting();
    let recorder = Recorder::start(away_at_first(&log, 3), options)?;
    recorder.record(numbered(1)).wait()?;
    assert_eq!(failures.try_iter().filter(|text| text.contains("not yet")).count(), 3);
    assert_eq!(stored_ids(&log)?, ids([1]));
    Ok(())
}

#[test]
fn entries_wait_for_a_table_that_is_not_there_yet() -> TestResult {
    let log = SharedLog::without_table()?;
    let (options, failures) = reporting();
    let recorder = Recorder::start(log.connector(), options)?;
    let receipts = (1..=20).map(|number| recorder.record(numbered(number))).collect::<Vec<_>>();
    assert!(failures.recv_timeout(A_MINUTE)?.contains("run its migrations first"));
    crate::database::run_migrations(&mut log.connect()?)?;
    for receipt in receipts {
        receipt.wait()?;
    }
    assert_eq!(stored_ids(&log)?, ids(1..=20));
    Ok(())
}

#[test]
fn panics_of_the_host_hang_nobody() -> TestResult {
    let log = SharedLog::create()?;
    let mut connect = log.connector();
    let mut attempts = 0;
    let connect = move || {
        attempts += 1;
        if attempts < 3 { resume_unwind(Box::new("connect panics")) } else { connect() }
    };
    let (failed, failures) = channel();
    let options = RecorderOptions::new().on_failure(move |failure| {
        failed.send(matches!(*failure.error, Error::Recorder(RecorderError::HostPanicked))).ok();
        resume_unwind(Box::new("the callback panics"))
    });
    let recorder = Recorder::start(connect, options)?;
    recorder.record(numbered(1)).wait()?;
    assert_eq!(failures.try_iter().collect::<Vec<_>>(), [true, true]);
    assert!(recorder.shutdown(A_MINUTE).is_empty());
    assert_eq!(stored_ids(&log)?, ids([1]));
    Ok(())
}

#[test]
fn a_callback_that_would_wait_for_its_own_thread_is_told_so() -> TestResult {
    let log = SharedLog::create()?;
    let (given, own) = channel::<Recorder>();
    let (told, telling) = channel();
    let options = RecorderOptions::new().on_failure(move |_| {
        let Ok(recorder) = own.recv() else { return };
        told.send(recorder.record(numbered(2)).wait()).ok();
        told.send(recorder.flush().wait().map(|()| 0)).ok();
        // The last handle.
        drop(recorder);
    });
    let recorder = Recorder::start(away_at_first(&log, 1), options)?;
    let receipt = recorder.record(numbered(1));
    given.send(recorder)?;
    for _ in 0..2 {
        assert_eq!(reason(telling.recv_timeout(A_MINUTE)?)?, RecorderError::OwnThread);
    }
    receipt.wait()?;
    // The thread has dropped the callback, and so has ended.
    assert!(telling.recv_timeout(A_MINUTE).is_err());
    assert_eq!(stored_ids(&log)?, ids([1, 2]));
    Ok(())
}

#[test]
fn a_shutdown_ends_while_another_writer_holds_the_lock() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    recorder.record(numbered(1)).wait()?;
    let mut writer = log.connect()?;
    hold_up_writers(&mut writer)?;
    let receipt = recorder.record(numbered(2));
    let unwritten = recorder.shutdown(Duration::from_millis(50));
    // Its transaction had not begun, which the recorder waited to see.
    assert_eq!((unwritten.entries, unwritten.unclear), (vec![numbered(2)], vec![]));
    assert_eq!(reason(receipt.wait())?, RecorderError::ShutDown);
    drop(writer);
    assert_eq!(stored_ids(&log)?, ids([1]));
    Ok(())
}

#[test]
fn many_threads_that_wait_are_all_answered_when_the_recorder_ends() -> TestResult {
    let (_log, recorder, database) = start_away(RecorderOptions::new().queue_entries(10))?;
    let threads = (1..=100).map(|number| {
        let recorder = recorder.clone();
        thread::spawn(move || recorder.record(numbered(number)).wait())
    });
    let threads = threads.collect::<Vec<_>>();
    let unwritten = recorder.shutdown(Duration::from_millis(20));
    for thread in threads {
        assert_eq!(reason(thread.join().map_err(|_| "a thread panicked")?)?, RecorderError::ShutDown);
    }
    assert_eq!(unwritten.unclear, [numbered(0)]);
    drop(database);
    Ok(())
}
