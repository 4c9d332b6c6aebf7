//! What a recorder does about a host's constraints, and about a connection that it should not have been given.

use std::sync::mpsc::channel;
use std::time::Duration;

use activity_log::{Error, NewActivityLogEntry, Recorder, RecorderOptions};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::behaviour::recorder::{ids, start, stored_ids};
use crate::database::SharedLog;
use crate::support::{TestResult, numbered};

#[test]
fn an_entry_that_violates_a_constraint_holds_up_nobody_even_if_the_recorders_own_entries_violate_it_too() -> TestResult
{
    let (log, recorder) = start(RecorderOptions::new())?;
    log.connect()?
        .batch_execute("ALTER TABLE activity_log ADD CONSTRAINT hosts_own CHECK (actor IN ('clock', 'alice'))")?;
    let refused = recorder.record(NewActivityLogEntry { actor: "mallory".to_owned(), ..numbered(1) });
    let after = recorder.record(numbered(2));
    let after = after.wait_at_most(Duration::from_secs(20)).map_err(|_| "it is held up")?;
    let refused = refused.wait();
    assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
    after?;
    assert_eq!(stored_ids(&log)?, ids([2]));
    Ok(())
}

#[test]
fn a_transaction_that_the_host_has_begun_on_the_recorders_connection_is_not_committed() -> TestResult {
    let log = SharedLog::create()?;
    let url = log.url();
    let connect = move || -> Result<PgConnection, Error> {
        let mut conn = PgConnection::establish(&url)?;
        conn.begin_test_transaction()?;
        Ok(conn)
    };
    let (failed, failures) = channel();
    let options = RecorderOptions::new().on_failure(move |failure| drop(failed.send(failure.error.to_string())));
    let recorder = Recorder::start(connect, options)?;
    drop(recorder.record(numbered(1)));
    let failure = failures.recv_timeout(Duration::from_secs(5));
    assert_eq!(stored_ids(&log)?, ids([]));
    assert!(failure?.contains("transaction"));
    assert_eq!(recorder.shutdown(Duration::ZERO).entries, [numbered(1)]);
    Ok(())
}

/// Such as when a migration ends between an attempt and the question whether the database takes any other entry.
#[test]
fn an_entry_that_the_database_takes_only_at_the_second_attempt_is_recorded() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    log.connect()?.batch_execute(
        "CREATE SEQUENCE attempts;
        CREATE FUNCTION refuse_first() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF nextval('attempts') = 1 THEN RAISE EXCEPTION 'not yet'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER refuse_first BEFORE INSERT ON activity_log FOR EACH ROW EXECUTE FUNCTION refuse_first()",
    )?;
    recorder.record(numbered(1)).wait()?;
    assert_eq!(stored_ids(&log)?, ids([1]));
    Ok(())
}
