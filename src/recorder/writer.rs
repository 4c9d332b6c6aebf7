//! The thread of a recorder.

use std::sync::Arc;
use std::time::Duration;

use crate::error::recorder::RecorderError::HostPanicked;
use crate::error::{Error, Result};
use crate::recorder::attempt::{Attempt, Writing};
use crate::recorder::guard::{guarded, isolated};
use crate::recorder::health::RecorderFailure;
use crate::recorder::load::Load;
use crate::recorder::options::OnFailure;
use crate::recorder::own_thread;
use crate::recorder::queued::Queued;
use crate::recorder::shared::Shared;
use crate::store::Backend;
use crate::store::blocking::run;

/// How long a statement waits for a lock before the thread looks whether it should stop.
const LONGEST_WAIT: Duration = Duration::from_millis(200);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Writer<C, F> {
    connect: F,
    conn: Option<C>,
    writing: Writing,
    batch: Load,
    on_failure: OnFailure,
    /// Before the next attempt, if this one fails.
    pause: Duration,
}

impl<C: Backend, F: FnMut() -> Result<C>> Writer<C, F> {
    pub(crate) fn new(connect: F, writing: Writing, batch: Load, on_failure: OnFailure) -> Self {
        Self { connect, conn: None, writing, batch, on_failure, pause: FIRST_PAUSE }
    }

    /// Writes what is queued, until the recorder is shut down.
    pub(crate) fn work(mut self, shared: &Shared) {
        own_thread::enter();
        isolated(|| {
            while let Some(batch) = shared.next_batch(self.batch) {
                let written = guarded(|| self.write(&batch, shared));
                if matches!(written, Err(Error::Recorder(HostPanicked))) {
                    // It may have come after the commit, such as in the host's instrumentation of the connection.
                    batch.iter().for_each(|queued| queued.set_uncertain());
                }
                // Before what is unwanted is answered, so that whoever hears of it finds out why.
                let failure = written.map_err(|error| shared.fail(error));
                shared.finish(&batch);
                match failure {
                    Ok(()) => self.pause = FIRST_PAUSE,
                    Err(failure) => self.recover(&failure, shared),
                }
            }
        });
        // Who waits for the end may expect that the connection is closed.
        isolated(|| drop(self));
        shared.end();
    }

    fn write(&mut self, batch: &[Arc<Queued>], shared: &Shared) -> Result<()> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            conn => {
                let mut connected = (self.connect)()?;
                run(connected.limit_waiting(LONGEST_WAIT))?;
                conn.insert(connected)
            }
        };
        Attempt { conn, writing: &self.writing, shared }.write(batch)
    }

    /// After an attempt that failed: keeps the connection if it was only in somebody's way, reports, and waits.
    fn recover(&mut self, failure: &RecorderFailure, shared: &Shared) {
        let is_busy = matches!(*failure.error, Error::Busy(_));
        let may_keep = is_busy || failure.error.is_out_of_space();
        let kept = self.conn.take().filter(|_| may_keep);
        let mut is_kept = false;
        isolated(|| {
            self.conn = kept.and_then(|mut conn| run(conn.newest_seq()).is_ok().then_some(conn));
            is_kept = self.conn.is_some();
        });
        isolated(|| (self.on_failure)(failure));
        if is_kept && is_busy {
            // The attempt has waited already.
            self.pause = FIRST_PAUSE;
        }
        shared.pause(self.pause);
        self.pause = self.pause.saturating_mul(2).min(LAST_PAUSE);
    }
}
