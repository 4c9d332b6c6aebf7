//! A recorder whose connection is lost at a commit records nothing twice and loses nothing.

use std::sync::mpsc::channel;

use activity_log::{Error, Recorder, RecorderOptions};
use diesel::Connection as _;
use diesel::prelude::*;

use crate::cut_connection::{Cut, CutConnection};
use crate::database::{ActivityLogRepository, SharedLog};
use crate::support::{TestResult, everything, numbered, seqs};

/// The `host:port` of an address.
fn host_and_port(url: &str) -> TestResult<&str> {
    let (_, rest) = url.split_once("://").ok_or("no scheme")?;
    let host = rest.split(['/', '?']).next().ok_or("no host")?;
    Ok(host.rsplit('@').next().unwrap_or(host))
}

/// A way to the log's server that can be cut, and the address of the log by that way.
fn way_to(log: &SharedLog) -> TestResult<(CutConnection, String)> {
    let url = log.url();
    let server = host_and_port(&url)?;
    let way = CutConnection::to(server)?;
    let url = format!("{}&sslmode=disable", url.replace(server, &way.address()));
    Ok((way, url))
}

fn record_with_cuts(cuts: &[Cut]) -> TestResult {
    let log = SharedLog::create()?;
    let (way, url) = way_to(&log)?;
    let recorder = Recorder::start(move || PgConnection::establish(&url), RecorderOptions::new())?;
    let mut given = vec![recorder.record(numbered(0)).wait()?];
    for cut in cuts {
        way.cut_next_commit(*cut)?;
    }
    let before = recorder.record(numbered(1));
    let all = recorder.record_all((2..=9).map(numbered).collect());
    let duplicate = recorder.record(numbered(0));
    let again = recorder.record(numbered(1));
    let together = recorder.record_all(vec![numbered(10), numbered(2)]);
    let after = recorder.record(numbered(10));
    given.push(before.wait()?);
    given.extend(all.wait()?);
    for duplicate in [duplicate.wait(), again.wait()] {
        assert!(matches!(duplicate, Err(Error::DuplicateId { index: 0 })), "{duplicate:?}");
    }
    let together = together.wait();
    // Its other entry may be there by now too, from the last one.
    assert!(matches!(together, Err(Error::DuplicateId { .. })), "{together:?}");
    given.push(after.wait()?);
    let stored = ActivityLogRepository::new(&mut log.connect()?).query_after(&everything(), 0, 100)?;
    assert_eq!(seqs(&stored), given);
    assert!(stored.iter().map(|entry| entry.id.clone()).eq((0..=10).map(|number| numbered(number).id)));
    Ok(())
}

#[test]
fn entries_whose_commit_was_not_heard_of_are_answered_with_their_seqs() -> TestResult {
    record_with_cuts(&[Cut::After])
}

#[test]
fn entries_whose_commit_never_reached_the_server_are_written_again() -> TestResult {
    record_with_cuts(&[Cut::Before])
}

#[test]
fn a_connection_that_is_lost_again_and_again_loses_and_doubles_nothing() -> TestResult {
    record_with_cuts(&[Cut::After, Cut::After, Cut::Before, Cut::After, Cut::Before, Cut::Before, Cut::After])
}

#[test]
fn an_id_that_somebody_else_took_while_the_connection_was_lost_is_a_duplicate() -> TestResult {
    let log = SharedLog::create()?;
    let (way, url) = way_to(&log)?;
    let (ask, asked) = channel();
    let (come, coming) = channel();
    let connect = move || {
        ask.send(()).ok();
        coming.recv().ok();
        PgConnection::establish(&url)
    };
    let recorder = Recorder::start(connect, RecorderOptions::new())?;
    come.send(())?;
    recorder.record(numbered(0)).wait()?;
    asked.recv()?;
    way.cut_next_commit(Cut::Before)?;
    let receipt = recorder.record(numbered(1));
    asked.recv()?;
    let others = ActivityLogRepository::new(&mut log.connect()?).record(&numbered(1))?;
    come.send(())?;
    let answer = receipt.wait();
    assert!(matches!(answer, Err(Error::DuplicateId { index: 0 })), "{answer:?}");
    let stored = ActivityLogRepository::new(&mut log.connect()?).query_after(&everything(), 0, 100)?;
    assert_eq!(stored.last().map(|entry| (entry.seq, stored.len())), Some((others, 2)));
    Ok(())
}
