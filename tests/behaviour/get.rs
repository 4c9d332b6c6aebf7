//! An entry is found by its id.

use activity_log::Error;

use crate::behaviour::broken_rows::log_with_a_broken_row;
use crate::database::{ActivityLogRepository, BREAKING_ASSIGNMENTS, empty_log};
use crate::support::{TestResult, numbered, read_back, record_numbered};

#[test]
fn an_entry_is_found_by_its_id() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.get(&numbered(3).id)?, Some(read_back(numbered(3), 3)));
    Ok(())
}

#[test]
fn an_id_that_the_log_does_not_hold_finds_nothing() -> TestResult {
    let mut conn = empty_log()?;
    assert_eq!(ActivityLogRepository::new(&mut conn).get(&numbered(1).id)?, None);
    record_numbered(&mut conn, 2)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for id in ["", "al_", "AL_00000001", "al_00000001 ", "%"] {
        assert_eq!(log.get(id)?, None, "{id}");
    }
    log.prune(None, Some(1))?;
    assert_eq!(log.get(&numbered(1).id)?, None);
    Ok(())
}

#[test]
fn an_id_with_a_nul_is_found_as_it_was_written() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(1).id("a\0b"))?;
    let expected = Some(read_back(numbered(1).id("a\u{FFFD}b"), 1));
    assert_eq!(log.get("a\0b")?, expected);
    assert_eq!(log.get("a\u{FFFD}b")?, expected);
    assert_eq!(log.get("a")?, None);
    Ok(())
}

#[test]
fn the_row_of_an_id_that_cannot_be_read_is_reported() -> TestResult {
    for (broken, assignment) in BREAKING_ASSIGNMENTS {
        let mut conn = log_with_a_broken_row(assignment)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let read = log.get(&numbered(3).id);
        let Err(Error::UnreadableRow { seq, column, .. }) = read else {
            return Err(format!("{assignment}: {read:?}").into());
        };
        assert_eq!((seq, column), (3, broken), "{assignment}");
    }
    Ok(())
}
