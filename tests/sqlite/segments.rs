//! Segments are added as the log grows, whichever program writes, and readers meanwhile find every row once.

use activity_log::{
    ActivityLogFilters, ActivityLogRepository, ActivitySeverity, MIGRATIONS, NewActivityLogEntry, resummarize,
    run_migrations,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;

use crate::behaviour::time_windows::{found as found_within, window};
use crate::database::{SharedLog, empty_log};
use crate::foreign_rows::older_log;
use crate::kinds::{category, count, found, insert_as_others_do, kind, of_actor, segments};
use crate::statements::after_query;
use crate::support::{TestResult, at, everything, numbered, record_numbered};

#[test]
fn recording_adds_a_segment_once_the_log_has_grown_beyond_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 4_095)?;
    assert!(segments(&mut conn)?.is_empty());
    ActivityLogRepository::new(&mut conn).record(&numbered(4_096))?;
    assert_eq!(segments(&mut conn)?, [0]);
    Ok(())
}

#[test]
fn rows_of_another_program_are_counted_before_they_are_summarized() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 9_000, 7)?;
    assert!(segments(&mut conn)?.is_empty());
    assert_eq!(count(&mut conn, &category("area 1"))?, 3_000);
    Ok(())
}

#[test]
fn clearing_leaves_no_segment_and_later_deletions_are_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).clear()?, 9_000);
    assert!(segments(&mut conn)?.is_empty());
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
fn a_count_sees_one_moment_while_another_connection_prunes() -> TestResult {
    let file = SharedLog::create()?;
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
        pruner.join().map_err(|_| "a thread panicked")?
    })
}

#[test]
fn a_log_without_its_summaries_is_scanned() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 9_000, 5)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    let filters = of_actor("user 1", kind("area 1", ActivitySeverity::Info));
    let before = found(&mut conn, &filters)?;
    conn.batch_execute("DELETE FROM activity_log_segments; DELETE FROM activity_log_segment_rollups")?;
    assert_eq!(found(&mut conn, &filters)?, before);
    assert_eq!(count(&mut conn, &everything())?, 9_001);
    Ok(())
}

#[test]
fn a_segment_added_while_another_connection_reads_duplicates_no_row() -> TestResult {
    let reads: [fn(&mut ActivityLogRepository<'_>, &ActivityLogFilters) -> activity_log::Result<usize>; 3] = [
        |log, filters| log.query(filters, None, 100_000).map(|entries| entries.len()),
        |log, filters| log.query_after(filters, 0, 100_000).map(|entries| entries.len()),
        |log, filters| log.count(filters).map(|count| count as usize),
    ];
    for read in reads {
        let file = SharedLog::create()?;
        let mut writer = file.connect()?;
        record_numbered(&mut writer, 8_191)?;
        let mut reader = file.connect()?;
        after_query(&mut reader, "max(`activity_log_segments`", move || {
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
fn a_reader_inside_a_transaction_begun_in_plain_sql_finds_its_rows() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("BEGIN; DELETE FROM activity_log WHERE seq = 1")?;
    assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 4_999);
    conn.batch_execute("ROLLBACK")?;
    assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 5_000);
    Ok(())
}

#[test]
fn a_recorder_overtaken_before_it_adds_a_segment_loses_no_segment() -> TestResult {
    let file = SharedLog::create()?;
    let (mut slow, mut quick) = (file.connect()?, file.connect()?);
    record_numbered(&mut slow, 10 * 4_096)?;
    after_query(&mut slow, "INSERT INTO `activity_log`", move || {
        let entries = (50_001..55_000).map(numbered).collect::<Vec<_>>();
        ActivityLogRepository::new(&mut quick).record_all(&entries)?;
        Ok(())
    });
    ActivityLogRepository::new(&mut slow).record(&numbered(60_000))?;
    assert_eq!(segments(&mut slow)?, (0..11).map(|segment| segment * 4_096).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_longest_list_of_categories_is_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    let mut filters = category("system");
    filters.categories.extend((1..32_000).map(|number| format!("area {number}").into()));
    assert_eq!(count(&mut conn, &filters)?, 5_000);
    Ok(())
}

#[test]
fn rows_inserted_among_older_ones_are_found_and_counted_after_resummarizing() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute(
        "DELETE FROM activity_log WHERE seq = 7; \
         INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
         VALUES (7, 'restored', '1999-01-01T00:00:00+00:00', 'auth', 'a', 'error', 'alice', 'x')",
    )?;
    resummarize(&mut conn)?;
    let until = Some(at("1999-12-31T00:00:00Z")?);
    let since = Some(at("1998-12-31T00:00:00Z")?);
    assert_eq!(found(&mut conn, &ActivityLogFilters { since, until, ..everything() })?, [7]);
    assert_eq!(found(&mut conn, &of_actor("alice", category("auth")))?, [7]);
    assert_eq!(count(&mut conn, &everything())?, 9_000);
    Ok(())
}

#[test]
fn resummarizing_an_empty_log_leaves_nothing() -> TestResult {
    let mut conn = empty_log()?;
    resummarize(&mut conn)?;
    assert!(segments(&mut conn)?.is_empty());
    Ok(())
}

#[test]
fn recording_many_adds_all_their_segments() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 12_000)?;
    assert_eq!(segments(&mut conn)?, [0, 4_096]);
    Ok(())
}

#[test]
fn segments_added_in_a_rolled_back_transaction_are_gone() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 4_095)?;
    let rolled_back = conn.transaction::<(), activity_log::Error, _>(|conn| {
        ActivityLogRepository::new(conn).record(&numbered(4_096))?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert!(segments(&mut conn)?.is_empty());
    ActivityLogRepository::new(&mut conn).record(&numbered(4_096))?;
    assert_eq!(segments(&mut conn)?, [0]);
    Ok(())
}

#[test]
fn segments_are_dropped_with_their_rows() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 12_000)?;
    ActivityLogRepository::new(&mut conn).prune(None, Some(6_000))?;
    let more = (12_001..=12_288).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&more)?;
    assert_eq!(segments(&mut conn)?, [4_096, 8_192]);
    Ok(())
}

/// Reverts the schema to the first migration.
pub(crate) fn revert_to_the_first_migration(conn: &mut SqliteConnection) -> TestResult {
    while conn.applied_migrations()?.len() > 1 {
        conn.revert_last_migration(MIGRATIONS)?;
    }
    Ok(())
}

#[test]
fn entries_can_be_recorded_to_a_log_of_the_first_migration() -> TestResult {
    let mut conn = empty_log()?;
    revert_to_the_first_migration(&mut conn)?;
    record_numbered(&mut conn, 8_192)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(8_193))?;
    Ok(())
}

#[test]
fn a_log_whose_seq_restarts_is_summarized_again() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 12_000)?;
    conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    let entries = (15_001..=19_096).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(segments(&mut conn)?, [0]);
    assert_eq!(found_within(&mut conn, &window(15_002, 15_003))?, [2, 3]);
    Ok(())
}

#[test]
fn rows_whose_seq_restarts_below_many_segments_are_found() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 12_000)?;
    conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    let entries = (20_001..=36_000).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(found_within(&mut conn, &window(20_001, 20_003))?, [1, 2, 3]);
    Ok(())
}

/// An adopted table that allows NULL for a time, with rows whose times come from `ts`.
fn adopted_with(ts: &str) -> TestResult<SqliteConnection> {
    let mut conn = older_log()?;
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT 'x' || n, {ts}, 'system', 'tick', 'info', 'clock', 'm' FROM n"
    ))?;
    run_migrations(&mut conn)?;
    Ok(conn)
}

#[test]
fn a_null_time_is_found_once_it_is_repaired() -> TestResult {
    let mut conn = adopted_with("NULL")?;
    conn.batch_execute("UPDATE activity_log SET ts = '1970-01-01T02:00:00+00:00' WHERE seq IN (100, 5000)")?;
    assert_eq!(found_within(&mut conn, &window(100, 130))?, [100, 5_000]);
    Ok(())
}

#[test]
fn a_time_may_become_null_in_a_table_that_allows_it() -> TestResult {
    let mut conn = adopted_with("'1970-01-01T02:00:00+00:00'")?;
    conn.batch_execute("UPDATE activity_log SET ts = NULL WHERE seq > 2")?;
    assert_eq!(found_within(&mut conn, &window(100, 130))?, [1, 2]);
    Ok(())
}

#[test]
fn a_segment_is_added_by_one_of_several_connections() -> TestResult {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, 4_000)?;
    std::thread::scope(|scope| -> TestResult {
        let recorders = (0..4)
            .map(|recorder| {
                let mut conn = file.connect()?;
                Ok(scope.spawn(move || -> TestResult {
                    let mut log = ActivityLogRepository::new(&mut conn);
                    for number in 0..1_100 {
                        log.record(&NewActivityLogEntry { id: format!("{recorder} {number}"), ..numbered(number) })?;
                    }
                    Ok(())
                }))
            })
            .collect::<TestResult<Vec<_>>>()?;
        recorders.into_iter().try_for_each(|recorder| recorder.join().map_err(|_| "a thread panicked")?)
    })?;
    assert_eq!(segments(&mut file.connect()?)?, [0, 4_096]);
    Ok(())
}

#[test]
fn a_filter_over_more_segments_than_one_lookup_returns_finds_every_row_once() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 600000) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT 'x' || n, iif(n / 4096 % 2, '1970-01-01T00:00:00+00:00', '2001-01-01T00:00:00+00:00'), \
             iif(n % 4096 = 7 AND n / 4096 % 2, 'rare', 'system'), 'tick', 'info', 'clock', 'Tick' FROM n",
    )?;
    resummarize(&mut conn)?;
    let expected = (0..146).filter(|segment| segment % 2 == 1).map(|segment| segment * 4_096 + 7).collect::<Vec<_>>();
    assert_eq!(found(&mut conn, &of_actor("clock", category("rare")))?, expected);
    let long_ago = ActivityLogFilters { until: Some(at("1999-12-31T00:00:00Z")?), ..category("rare") };
    assert_eq!(found(&mut conn, &long_ago)?, expected);
    Ok(())
}
