//! The export streams the log oldest first, batch by batch, and holds nobody up.

mod support;

use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogRepository, Error, NewActivityLogEntry};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use support::{LogFile, TestResult, empty_log, everything, numbered, record_numbered, seqs, statements};

/// More rows than one batch holds.
const MANY: i64 = 1_300;

fn export(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> TestResult<Vec<ActivityLogEntry>> {
    Ok(ActivityLogRepository::new(conn).iter_export(filters)?.collect::<activity_log::Result<_>>()?)
}

#[test]
fn an_export_is_the_walk_of_all_pages_backwards() -> TestResult {
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
fn an_export_reads_in_batches() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, MANY)?;
    let statements =
        statements(&mut conn, |log| log.iter_export(&everything())?.take(10).try_for_each(|e| e.map(drop)))?;
    // The newest seq, and one batch: the rest was not asked for.
    assert_eq!(statements.len(), 2, "{statements:?}");
    assert!(statements.last().is_some_and(|batch| batch.sql.contains("LIMIT")), "{statements:?}");
    Ok(())
}

#[test]
fn an_export_does_not_look_again_for_rows_after_a_batch_that_came_out_short() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, MANY)?;
    let statements = statements(&mut conn, |log| log.iter_export(&everything())?.try_for_each(|e| e.map(drop)))?;
    // The newest seq, two whole batches, and the short one.
    assert_eq!(statements.len(), 4, "{statements:?}");
    Ok(())
}

#[test]
fn long_entries_make_small_batches() -> TestResult {
    let mut conn = empty_log()?;
    let megabyte = "x".repeat(1 << 20);
    let entries = (0..5).map(|_| NewActivityLogEntry::new("auth", "a", "b", megabyte.as_str())).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    let statements = statements(&mut conn, |log| log.iter_export(&everything())?.try_for_each(|e| e.map(drop)))?;
    // The newest seq, a batch an entry, and the empty one that ends it.
    assert_eq!(statements.len(), 7, "{statements:?}");
    Ok(())
}

#[test]
fn an_export_ends_at_the_newest_row_of_when_it_began() -> TestResult {
    let file = LogFile::create()?;
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
    let file = LogFile::create()?;
    let (mut reader, mut writer) = (file.connect()?, file.connect()?);
    let mut log = ActivityLogRepository::new(&mut reader);
    let mut export = log.iter_export(&everything())?;
    record_numbered(&mut writer, 3)?;
    assert!(export.next().is_none());
    Ok(())
}

#[test]
fn an_export_stays_at_its_end() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut export = log.iter_export(&everything())?;
    assert_eq!(export.by_ref().count(), 2);
    assert!(export.next().is_none());
    assert!(export.next().is_none());
    Ok(())
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = BigInt)]
    busy: i64,
    #[diesel(sql_type = BigInt)]
    log: i64,
    #[diesel(sql_type = BigInt)]
    checkpointed: i64,
}

#[test]
fn a_slow_export_neither_blocks_a_writer_nor_keeps_the_log_from_being_checkpointed() -> TestResult {
    let file = LogFile::create()?;
    let (mut reader, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut writer, MANY)?;

    let mut log = ActivityLogRepository::new(&mut reader);
    let mut export = log.iter_export(&everything())?;
    assert_eq!(export.next().ok_or("empty")??.seq, 1);

    ActivityLogRepository::new(&mut writer).record(&numbered(MANY + 1))?;
    let checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(&mut writer)?;
    assert_eq!((checkpoint.busy, checkpoint.log, checkpoint.checkpointed), (0, 0, 0));

    assert_eq!(export.count(), MANY as usize - 1);
    Ok(())
}

#[test]
fn rows_deleted_ahead_of_an_export_are_missed_and_no_others() -> TestResult {
    let file = LogFile::create()?;
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
fn an_error_of_the_database_ends_the_export() -> TestResult {
    let file = LogFile::create()?;
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
