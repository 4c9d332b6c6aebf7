//! An export streams the log oldest first and delays no writer.

use activity_log::{ActivityLogEntry, ActivityLogFilters, Error, NewActivityLogEntry};
use diesel::prelude::*;

use crate::database::{ActivityLogRepository, Connection, SharedLog, empty_log};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

/// More rows than one batch holds.
pub(crate) const MANY: i64 = 1_300;

fn export(conn: &mut Connection, filters: &ActivityLogFilters) -> TestResult<Vec<ActivityLogEntry>> {
    Ok(ActivityLogRepository::new(conn).iter_export(filters)?.collect::<activity_log::Result<_>>()?)
}

#[test]
fn an_export_equals_all_pages_in_reverse() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, MANY)?;
    let mut walked = Vec::new();
    let mut before_seq = None;
    loop {
        let page = ActivityLogRepository::new(&mut conn).page(&everything(), before_seq, 97)?;
        walked.extend(page.entries);
        before_seq = page.next_before_seq;
        if before_seq.is_none() {
            break;
        }
    }
    walked.reverse();
    assert_eq!(walked.len(), MANY as usize);
    assert_eq!(export(&mut conn, &everything())?, walked);
    Ok(())
}

#[test]
fn an_export_of_an_empty_log_is_empty() -> TestResult {
    assert_eq!(export(&mut empty_log()?, &everything())?, []);
    Ok(())
}

#[test]
fn a_filtered_export_has_every_match_across_batches() -> TestResult {
    let mut conn = empty_log()?;
    let entries = (0..3_000)
        .map(|n| NewActivityLogEntry::new(if n % 2 == 0 { "auth" } else { "device" }, "a", "b", "c"))
        .collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    let filters = ActivityLogFilters { categories: vec!["auth".into()], ..everything() };
    let expected = (1..=3_000).step_by(2).collect::<Vec<i64>>();
    assert_eq!(seqs(&export(&mut conn, &filters)?), expected);
    Ok(())
}

#[test]
fn an_export_ends_at_the_row_that_was_newest_when_it_began() -> TestResult {
    let file = SharedLog::create()?;
    let (mut reader, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut writer, MANY)?;

    let mut log = ActivityLogRepository::new(&mut reader);
    let mut export = log.iter_export(&everything())?;
    assert_eq!(export.next().ok_or("empty")??.seq, 1);
    ActivityLogRepository::new(&mut writer).record(&numbered(MANY + 1))?;

    let rest = export.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(seqs(&rest), (2..=MANY).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn an_export_of_an_empty_log_does_not_wait_for_the_first_entry() -> TestResult {
    let file = SharedLog::create()?;
    let (mut reader, mut writer) = (file.connect()?, file.connect()?);
    let mut log = ActivityLogRepository::new(&mut reader);
    let mut export = log.iter_export(&everything())?;
    record_numbered(&mut writer, 3)?;
    assert!(export.next().is_none());
    Ok(())
}

#[test]
fn a_finished_export_stays_finished() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut export = log.iter_export(&everything())?;
    assert_eq!(export.by_ref().count(), 2);
    assert!(export.next().is_none());
    assert!(export.next().is_none());
    Ok(())
}

#[test]
fn an_export_misses_only_the_rows_deleted_ahead_of_it() -> TestResult {
    let file = SharedLog::create()?;
    let (mut reader, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut writer, MANY)?;

    let mut log = ActivityLogRepository::new(&mut reader);
    let mut export = log.iter_export(&everything())?;
    assert_eq!(export.next().ok_or("empty")??.seq, 1);
    ActivityLogRepository::new(&mut writer).prune(None, Some(100))?;

    let rest = seqs(&export.collect::<activity_log::Result<Vec<_>>>()?);
    let kept = (MANY - 99..=MANY).collect::<Vec<_>>();
    assert!(rest.ends_with(&kept));
    assert!(rest.is_sorted_by(|earlier, later| earlier < later));
    Ok(())
}

#[test]
fn a_database_error_ends_the_export() -> TestResult {
    let file = SharedLog::create()?;
    let (mut reader, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut writer, MANY)?;

    let mut log = ActivityLogRepository::new(&mut reader);
    let mut export = log.iter_export(&everything())?;
    assert_eq!(export.next().ok_or("empty")??.seq, 1);
    diesel::sql_query("DROP TABLE activity_log").execute(&mut writer)?;

    let rest = export.by_ref().collect::<Vec<_>>();
    assert!(matches!(rest.last(), Some(Err(Error::Database(_)))));
    assert_eq!(rest.iter().filter(|item| item.is_err()).count(), 1);
    assert!(export.next().is_none());
    Ok(())
}

#[test]
fn an_export_outlives_its_filters() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let export = log.iter_export(&ActivityLogFilters::default())?;
    assert_eq!(export.count(), 2);
    Ok(())
}
