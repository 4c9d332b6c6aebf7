//! Following a log that is on one server: transactions that are prepared, and sequences that were altered.

use diesel::connection::SimpleConnection;

use crate::database::{ActivityLogRepository, empty_log};
use crate::follow::{followed, log_with_an_open_transaction};
use crate::support::{TestResult, everything, numbered, seqs};

#[test]
fn a_transaction_that_is_prepared_holds_followers_up_when_its_session_is_gone() -> TestResult {
    let (log, mut open, mut follower) = log_with_an_open_transaction()?;
    let name = format!("{:?}", log.url().split("search_path").last());
    let name = name.replace(|character: char| !character.is_ascii_alphanumeric(), "");
    open.batch_execute(&format!("PREPARE TRANSACTION '{name}'"))?;
    drop(open);
    let held_up = followed(&mut follower);
    log.connect()?.batch_execute(&format!("COMMIT PREPARED '{name}'"))?;
    assert_eq!(held_up?.0, [0; 0]);
    assert_eq!(followed(&mut follower)?.0, [1, 2]);
    Ok(())
}

#[test]
fn a_log_whose_sequence_was_set_anew_or_may_not_be_read_can_be_followed() -> TestResult {
    for change in
        ["ALTER SEQUENCE activity_log_seq_seq RESTART WITH 100", "ALTER SEQUENCE activity_log_seq_seq OWNED BY NONE"]
    {
        let mut conn = empty_log()?;
        ActivityLogRepository::new(&mut conn).record_all(&[numbered(1), numbered(2)])?;
        conn.batch_execute(change)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        assert_eq!(log.newest_seq()?, Some(2), "{change}");
        assert_eq!(seqs(&log.query_after(&everything(), 0, 9)?), [1, 2], "{change}");
        assert_eq!(log.iter_export(&everything())?.count(), 2, "{change}");
    }
    Ok(())
}
