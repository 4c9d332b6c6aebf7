//! However a recorder ends, what it could not write reaches the host, and nobody waits longer than is of use.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake};
use std::time::{Duration, Instant};

use activity_log::{Error, Recorder, RecorderOptions, Unwritten};

use crate::behaviour::recorder::{A_MINUTE, start_away};
use crate::database::Connection;
use crate::support::{TestResult, numbered};

fn away() -> Result<Connection, Error> {
    Err(Error::Output(std::io::Error::other("away")))
}

/// Gives what is left when the last handle is dropped to a channel.
fn telling(left: Sender<Unwritten>) -> RecorderOptions {
    RecorderOptions::new().drop_limit(Duration::ZERO).on_unwritten(move |unwritten| drop(left.send(unwritten)))
}

#[test]
fn dropping_the_last_handle_in_a_callback_gives_what_could_not_be_written_to_the_host() -> TestResult {
    let (left, leaving) = channel();
    let (given, own) = channel::<Recorder>();
    let recorder = Recorder::start(away, telling(left).on_failure(move |_| drop(own.recv())))?;
    drop(recorder.record(numbered(1)));
    given.send(recorder)?;
    assert_eq!(leaving.recv_timeout(A_MINUTE)?.entries, [numbered(1)]);
    Ok(())
}

/// Drops a handle when it is woken, as an executor does with a task that nobody needs any more.
struct DropWhenWoken(Mutex<Option<Recorder>>);

impl Wake for DropWhenWoken {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().map(|mut recorder| recorder.take()));
    }
}

#[test]
fn dropping_the_last_handle_while_receipts_are_answered_gives_what_could_not_be_written_to_the_host() -> TestResult {
    let (left, leaving) = channel();
    let (given, own) = channel::<Recorder>();
    let on_failure = move |_: &_| drop(own.recv().map(|recorder| recorder.shutdown(Duration::ZERO)));
    let recorder = Recorder::start(away, telling(left).on_failure(on_failure))?;
    let mut receipt = Box::pin(recorder.record(numbered(1)));
    let waker = Arc::new(DropWhenWoken(Mutex::new(Some(recorder.clone())))).into();
    assert!(receipt.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    given.send(recorder)?;
    assert_eq!(leaving.recv_timeout(A_MINUTE)?.entries, [numbered(1)]);
    Ok(())
}

#[test]
fn dropping_the_last_handle_after_a_shutdown_in_vain_does_not_wait_again() -> TestResult {
    let (_log, recorder, _database) = start_away(RecorderOptions::new().drop_limit(A_MINUTE))?;
    assert_eq!(recorder.shutdown(Duration::ZERO).unclear, [numbered(0)]);
    let began = Instant::now();
    drop(recorder);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    Ok(())
}
