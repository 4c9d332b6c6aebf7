//! With a rollback journal, a reader can keep a recorder from committing. What was not committed then is not in the log.

use std::sync::mpsc::channel;
use std::time::Duration;

use activity_log::{ActivityLogRepository, Error, Recorder, RecorderOptions};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::behaviour::recorder::A_MINUTE;
use crate::database::SharedLog;
use crate::support::{TestResult, everything, numbered};

/// An empty log that keeps a rollback journal.
fn with_rollback_journal() -> TestResult<SharedLog> {
    let log = SharedLog::create()?;
    log.connect()?.batch_execute("PRAGMA journal_mode = DELETE")?;
    Ok(log)
}

/// A connection that leaves the journal as it is.
fn connect(url: &str) -> TestResult<SqliteConnection> {
    Ok(SqliteConnection::establish(url)?)
}

fn reading(url: &str) -> TestResult<SqliteConnection> {
    let mut reader = connect(url)?;
    reader.batch_execute("BEGIN; SELECT count(*) FROM activity_log")?;
    Ok(reader)
}

#[test]
fn entries_whose_commit_was_busy_are_given_back_as_certainly_not_in_the_log() -> TestResult {
    let log = with_rollback_journal()?;
    let url = log.url();
    let _reader = reading(&url)?;
    let (failed, failures) = channel();
    let options = RecorderOptions::new().on_failure(move |failure| drop(failed.send(failure.error.to_string())));
    let recorder = Recorder::start(move || SqliteConnection::establish(&url), options)?;
    drop(recorder.record(numbered(1)));
    let failure = failures.recv_timeout(A_MINUTE)?;
    assert!(failure.contains("locked"), "{failure}");
    let unwritten = recorder.shutdown(Duration::ZERO);
    assert_eq!((unwritten.entries, unwritten.unclear), (vec![numbered(1)], vec![]));
    Ok(())
}

#[test]
fn an_id_that_somebody_else_took_after_a_busy_commit_is_a_duplicate() -> TestResult {
    let log = with_rollback_journal()?;
    let url = log.url();
    let mut reader = Some(reading(&url)?);
    let (took, taken) = channel();
    let others = url.clone();
    let on_failure = move |_: &_| {
        if reader.take().is_some() {
            let recorded =
                connect(&others).and_then(|mut conn| Ok(ActivityLogRepository::new(&mut conn).record(&numbered(1))?));
            took.send(recorded.map_err(|error| error.to_string())).ok();
        }
    };
    let connect_recorder = {
        let url = url.clone();
        move || SqliteConnection::establish(&url)
    };
    let recorder = Recorder::start(connect_recorder, RecorderOptions::new().on_failure(on_failure))?;
    let answer = recorder.record(numbered(1)).wait();
    // The number of what was rolled back is given again.
    assert_eq!(taken.recv_timeout(A_MINUTE)?, Ok(1));
    assert!(matches!(answer, Err(Error::DuplicateId { index: 0 })), "{answer:?}");
    assert_eq!(ActivityLogRepository::new(&mut connect(&url)?).count(&everything())?, 1);
    Ok(())
}
