//! The greatest number that the log has given.

use crate::database::{ActivityLogRepository, empty_log, insert_as_others_do};
use crate::support::{TestResult, everything, record_numbered, seqs};

#[test]
fn a_log_without_a_past_has_given_no_number() -> TestResult {
    let mut conn = empty_log()?;
    assert_eq!(ActivityLogRepository::new(&mut conn).last_given_seq()?, None);
    Ok(())
}

#[test]
fn it_is_that_of_the_newest_entry_whoever_inserted_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).last_given_seq()?, Some(5));
    insert_as_others_do(&mut conn, 2)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.last_given_seq()?, log.newest_seq()?);
    assert_eq!(log.last_given_seq()?, Some(7));
    Ok(())
}

#[test]
fn it_stays_when_the_newest_entries_are_deleted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.clear()?;
    assert_eq!((log.newest_seq()?, log.last_given_seq()?), (None, Some(5)));
    record_numbered(&mut conn, 1)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(seqs(&log.query(&everything(), None, 9)?), [6]);
    assert_eq!(log.last_given_seq()?, Some(6));
    Ok(())
}
