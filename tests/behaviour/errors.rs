//! Errors have the types and the wording of the crate.

use activity_log::Error;

use crate::database::{ActivityLogRepository, empty_database, empty_log};
use crate::support::{TestResult, numbered};

#[test]
fn an_error_names_the_entry_the_field_and_the_reason() -> TestResult {
    let mut conn = empty_log()?;
    let far = numbered(2).ts(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    let refused = ActivityLogRepository::new(&mut conn).record_all(&[numbered(1), far]);
    let message = refused.err().ok_or("stored")?.to_string();
    assert_eq!(message, "the entry at index 1 cannot be stored: `ts` is not within the years 0001 to 9999, in UTC");
    Ok(())
}

#[test]
fn a_missing_table_is_a_database_error() -> TestResult {
    let mut conn = empty_database()?;
    let missing = ActivityLogRepository::new(&mut conn).record(&numbered(1));
    assert!(matches!(missing, Err(Error::Database(_))), "{missing:?}");
    Ok(())
}
