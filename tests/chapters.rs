//! Chapters are added as the log grows, whoever writes, and readers beside that find every row once.

mod support;

use activity_log::{
    ActivityLogFilters, ActivityLogRepository, ActivitySeverity, MIGRATIONS, resummarize, run_migrations,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use support::kinds::{category, chapters, count, found, insert_as_others_do, kind, of_actor};
use support::{LogFile, TestResult, after_query, empty_log, everything, numbered, record_numbered};

#[test]
fn recording_adds_a_chapter_once_it_has_gone_beyond_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 4_095)?;
    assert!(chapters(&mut conn)?.is_empty());
    ActivityLogRepository::new(&mut conn).record(&numbered(4_096))?;
    assert_eq!(chapters(&mut conn)?, [0]);
    Ok(())
}

#[test]
fn rows_of_another_program_are_counted_before_they_belong_to_a_chapter() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 9_000, 7)?;
    assert!(chapters(&mut conn)?.is_empty());
    assert_eq!(count(&mut conn, &category("area 1"))?, 3_000);
    Ok(())
}

#[test]
fn recording_catches_up_on_the_rows_of_another_program_bit_by_bit() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 12 * 4_096 - 1, 7)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    assert_eq!(chapters(&mut conn)?.len(), 8);
    let entries = (2..=4_097).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(chapters(&mut conn)?.len(), 13);
    assert_eq!(count(&mut conn, &everything())?, 13 * 4_096);
    Ok(())
}

#[test]
fn the_migration_adds_the_chapters_of_the_rows_that_are_there() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 9_000, 5)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    let before = found(&mut conn, &of_actor("user 1", category("area 1")))?;
    conn.revert_last_migration(MIGRATIONS)?;
    run_migrations(&mut conn)?;
    assert_eq!(chapters(&mut conn)?, [0, 4_096]);
    assert_eq!(found(&mut conn, &of_actor("user 1", category("area 1")))?, before);
    assert_eq!(count(&mut conn, &everything())?, 9_001);
    Ok(())
}

#[test]
fn the_migration_can_be_run_by_hand_twice() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq <= 10")?;
    conn.batch_execute(include_str!("../migrations/0000-activity-log-0003_summarize_chapters/up.sql"))?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq <= 20")?;
    assert_eq!(count(&mut conn, &everything())?, 8_980);
    Ok(())
}

#[test]
fn clearing_leaves_no_chapter_and_later_deletions_are_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).clear()?, 9_000);
    assert!(chapters(&mut conn)?.is_empty());
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE message = 'Tick 1'")?;
    assert_eq!(count(&mut conn, &everything())?, 8_999);
    Ok(())
}

#[test]
fn clearing_that_is_rolled_back_leaves_the_counts_right() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    let rolled_back = conn.transaction::<(), activity_log::Error, _>(|conn| {
        ActivityLogRepository::new(conn).clear()?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    conn.batch_execute("DELETE FROM activity_log WHERE seq = 1")?;
    assert_eq!(count(&mut conn, &everything())?, 8_999);
    Ok(())
}

#[test]
fn a_count_is_of_one_moment_also_while_another_connection_prunes() -> TestResult {
    let file = LogFile::create()?;
    record_numbered(&mut file.connect()?, 20_000)?;
    let mut pruner = file.connect()?;
    let mut reader = file.connect()?;
    std::thread::scope(|scope| -> TestResult {
        let pruner = scope.spawn(move || -> TestResult {
            for kept in (1..=20).rev() {
                ActivityLogRepository::new(&mut pruner).prune(None, Some(kept * 1_000))?;
            }
            Ok(())
        });
        let mut last = 20_000;
        while last > 1_000 {
            let counted = count(&mut reader, &category("system"))?;
            assert!(counted <= last, "{counted} after {last}");
            last = counted;
        }
        pruner.join().map_err(|_| "it panicked")?
    })
}

#[test]
fn a_chapter_without_its_summary_is_looked_through() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 9_000, 5)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    let filters = of_actor("user 1", kind("area 1", ActivitySeverity::Info));
    let before = found(&mut conn, &filters)?;
    conn.batch_execute(
        "DELETE FROM activity_log_chapters; DELETE FROM activity_log_chapter_counts; \
         DELETE FROM activity_log_chapter_actors",
    )?;
    assert_eq!(found(&mut conn, &filters)?, before);
    assert_eq!(count(&mut conn, &everything())?, 9_001);
    Ok(())
}

#[test]
fn a_chapter_that_is_added_while_a_reader_looks_gives_no_row_twice() -> TestResult {
    let reads: [fn(&mut ActivityLogRepository<'_>, &ActivityLogFilters) -> activity_log::Result<usize>; 3] = [
        |log, filters| log.query(filters, None, 100_000).map(|entries| entries.len()),
        |log, filters| log.query_after(filters, 0, 100_000).map(|entries| entries.len()),
        |log, filters| log.count(filters).map(|count| count as usize),
    ];
    for read in reads {
        let file = LogFile::create()?;
        let mut writer = file.connect()?;
        record_numbered(&mut writer, 8_191)?;
        let mut reader = file.connect()?;
        after_query(&mut reader, "max(`activity_log_chapters`", move || {
            (8_192..8_200).try_for_each(|number| {
                ActivityLogRepository::new(&mut writer).record(&numbered(number))?;
                Ok(())
            })
        });
        let filters = of_actor("clock", category("system"));
        assert_eq!(read(&mut ActivityLogRepository::new(&mut reader), &filters)?, 8_191);
    }
    Ok(())
}

#[test]
fn a_reader_within_a_transaction_that_was_begun_as_sql_finds_its_rows() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("BEGIN; DELETE FROM activity_log WHERE seq = 1")?;
    assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 4_999);
    conn.batch_execute("ROLLBACK")?;
    assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 5_000);
    Ok(())
}

#[test]
fn a_recorder_that_is_overtaken_before_it_adds_a_chapter_drops_none() -> TestResult {
    let file = LogFile::create()?;
    let (mut slow, mut quick) = (file.connect()?, file.connect()?);
    record_numbered(&mut slow, 10 * 4_096)?;
    after_query(&mut slow, "INSERT INTO `activity_log`", move || {
        let entries = (50_001..55_000).map(numbered).collect::<Vec<_>>();
        ActivityLogRepository::new(&mut quick).record_all(&entries)?;
        Ok(())
    });
    ActivityLogRepository::new(&mut slow).record(&numbered(60_000))?;
    assert_eq!(chapters(&mut slow)?, (0..11).map(|chapter| chapter * 4_096).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn a_list_of_categories_as_long_as_it_may_be_is_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    let mut filters = category("system");
    filters.categories.extend((1..32_000).map(|number| format!("area {number}").into()));
    assert_eq!(count(&mut conn, &filters)?, 5_000);
    Ok(())
}

#[test]
fn rows_put_among_older_ones_by_hand_are_found_and_counted_after_resummarizing() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute(
        "DELETE FROM activity_log WHERE seq = 7; \
         INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
         VALUES (7, 'restored', '1999-01-01T00:00:00+00:00', 'auth', 'a', 'error', 'alice', 'x')",
    )?;
    resummarize(&mut conn)?;
    let until = Some(support::at("1999-12-31T00:00:00Z")?);
    let since = Some(support::at("1998-12-31T00:00:00Z")?);
    assert_eq!(found(&mut conn, &ActivityLogFilters { since, until, ..everything() })?, [7]);
    assert_eq!(found(&mut conn, &of_actor("alice", category("auth")))?, [7]);
    assert_eq!(count(&mut conn, &everything())?, 9_000);
    Ok(())
}

#[test]
fn resummarizing_an_empty_log_leaves_nothing() -> TestResult {
    let mut conn = empty_log()?;
    resummarize(&mut conn)?;
    assert!(chapters(&mut conn)?.is_empty());
    Ok(())
}
