//! Summarizing keeps up with the log: at start-up, while recording, beside other programs, and after rows have changed.

use std::path::Path;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;

use activity_log::{ActivityLogRepository, MIGRATIONS, resummarize, run_migrations, unsummarized};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;

use crate::behaviour::time_windows::{found as found_within, window};
use crate::database::{SharedLog, empty_log};
use crate::foreign_rows::older_log;
use crate::kinds::{category, count, found, insert_as_others_do, of_actor, segments, stale_segments};
use crate::segments::revert_to_the_first_migration;
use crate::statements::{after_query, statements};
use crate::support::{TestResult, everything, numbered, record_numbered};

/// A trigger of the host's that makes summarizing fail.
const NO_SEGMENTS: &str =
    "CREATE TRIGGER hosts BEFORE INSERT ON activity_log_segments BEGIN SELECT RAISE(ABORT, 'no segments'); END";

#[test]
fn a_later_record_makes_up_for_failed_summarizing_and_the_backlog_is_reported() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 4_095)?;
    conn.batch_execute(NO_SEGMENTS)?;
    for number in 4_096..4_400 {
        ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
    }
    assert!(segments(&mut conn)?.is_empty());
    assert_eq!(unsummarized(&mut conn)?, 4_399);
    assert!(resummarize(&mut conn).is_err_and(|error| error.to_string().contains("no segments")));
    conn.batch_execute("DROP TRIGGER hosts")?;
    for number in 4_400..4_656 {
        ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
    }
    assert_eq!(segments(&mut conn)?, [0]);
    assert_eq!(unsummarized(&mut conn)?, 4_655 - 4_095);
    Ok(())
}

#[test]
fn a_changed_segment_is_stale_until_recording_summarizes_it_again() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 13_000)?;
    conn.batch_execute(
        "DELETE FROM activity_log WHERE seq = 7; UPDATE activity_log SET actor = 'alice' WHERE seq = 5000; \
         UPDATE activity_log SET message = 'changed' WHERE seq = 9000",
    )?;
    assert_eq!(stale_segments(&mut conn)?, [0, 4_096]);
    assert_eq!(unsummarized(&mut conn)?, 4_094 + 4_096 + 13_000 - 12_287);
    let entries = (13_001..=16_384).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert!(stale_segments(&mut conn)?.is_empty());
    assert_eq!(unsummarized(&mut conn)?, 1);
    Ok(())
}

#[test]
fn a_segment_with_null_is_always_scanned_and_delays_no_other() -> TestResult {
    let mut conn = older_log()?;
    conn.batch_execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 90000) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor) \
         SELECT 'x' || n, '1970-01-01T02:00:00+00:00', iif(n % 4096 = 7, NULL, 'system'), 'tick', 'info', 'clock' FROM n",
    )?;
    run_migrations(&mut conn)?;
    assert_eq!(unsummarized(&mut conn)?, 90_000);
    conn.batch_execute("DELETE FROM activity_log WHERE category IS NULL AND seq > 80000")?;
    let more = (1..=4_096).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&more)?;
    // The last two segments no longer have one, and the unsummarized rows are those after the newest segment.
    assert_eq!(unsummarized(&mut conn)?, 20 * 4_096 + (90_000 + 4_096) % 4_096);
    assert_eq!(count(&mut conn, &category("system"))?, 90_000 - 22 + 4_096);
    Ok(())
}

#[test]
fn an_entry_is_recorded_even_when_its_segment_cannot_be_added() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 4_095)?;
    conn.batch_execute(NO_SEGMENTS)?;
    conn.transaction(|conn| ActivityLogRepository::new(conn).record(&numbered(4_096)))?;
    ActivityLogRepository::new(&mut conn).record(&numbered(4_097))?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 4_097);
    Ok(())
}

#[test]
fn segments_are_added_when_another_program_takes_every_other_seq() -> TestResult {
    let mut conn = empty_log()?;
    for number in 1..4_200 {
        ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
        conn.batch_execute(&format!(
            "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
             VALUES ('f{number}', '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'b', 'x')"
        ))?;
    }
    assert_eq!(segments(&mut conn)?, [0, 4_096]);
    Ok(())
}

#[test]
fn recording_catches_up_on_the_rows_of_another_program_gradually() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 12 * 4_096 - 1, 7)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    assert_eq!(segments(&mut conn)?.len(), 8);
    let entries = (2..=4_097).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(segments(&mut conn)?.len(), 13);
    assert_eq!(count(&mut conn, &everything())?, 13 * 4_096);
    Ok(())
}

#[test]
fn the_migration_summarizes_the_existing_rows() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 9_000, 5)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    let before = found(&mut conn, &of_actor("user 1", category("area 1")))?;
    conn.revert_last_migration(MIGRATIONS)?;
    run_migrations(&mut conn)?;
    assert_eq!(segments(&mut conn)?, [0, 4_096]);
    assert_eq!(found(&mut conn, &of_actor("user 1", category("area 1")))?, before);
    assert_eq!(count(&mut conn, &everything())?, 9_001);
    Ok(())
}

#[test]
fn the_migration_summarizes_the_existing_times() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 12_000)?;
    let recorded = segments(&mut conn)?;
    revert_to_the_first_migration(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(segments(&mut conn)?, recorded);
    assert_eq!(found_within(&mut conn, &window(1_000, 1_002))?, [1_000, 1_001, 1_002]);
    Ok(())
}

#[test]
fn the_migration_can_be_run_by_hand_twice() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq <= 10")?;
    conn.batch_execute(include_str!("../../migrations/0000-activity-log-0002_serve_every_filter/up.sql"))?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq <= 20")?;
    assert_eq!(count(&mut conn, &everything())?, 8_980);
    Ok(())
}

#[test]
fn entries_are_recorded_together_even_when_their_segments_cannot_be_added() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute(NO_SEGMENTS)?;
    record_numbered(&mut conn, 9_000)?;
    assert_eq!(count(&mut conn, &everything())?, 9_000);
    assert_eq!(unsummarized(&mut conn)?, 9_000);
    Ok(())
}

#[test]
fn segments_are_added_whatever_the_rhythm_in_which_another_program_records() -> TestResult {
    for (others, before) in [(1, 0), (3, 2), (7, 5), (15, 9)] {
        let mut conn = empty_log()?;
        insert_as_others_do(&mut conn, before, 5)?;
        for number in 0..12_000 / (others + 1) {
            ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
            insert_as_others_do(&mut conn, others, 5)?;
        }
        assert!(segments(&mut conn)?.starts_with(&[0, 4_096]), "{others} rows of others for each entry");
    }
    Ok(())
}

#[test]
fn start_up_summarizes_what_other_programs_wrote() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 90_000, 7)?;
    assert_eq!(unsummarized(&mut conn)?, 90_000);
    run_migrations(&mut conn)?;
    assert_eq!(unsummarized(&mut conn)?, 90_000 - 21 * 4_096 + 1);
    assert_eq!(count(&mut conn, &everything())?, 90_000);
    Ok(())
}

#[test]
fn start_up_succeeds_when_summarizing_fails() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 9_000, 7)?;
    conn.batch_execute(NO_SEGMENTS)?;
    run_migrations(&mut conn)?;
    assert_eq!(unsummarized(&mut conn)?, 9_000);
    Ok(())
}

/// A log of 24 segments, in each of which one row was deleted and one was updated.
fn log_of_stale_segments() -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 100_000, 7)?;
    run_migrations(&mut conn)?;
    conn.batch_execute(
        "DELETE FROM activity_log WHERE seq % 4096 = 9; UPDATE activity_log SET category = 'auth' WHERE seq % 4096 = 7",
    )?;
    assert_eq!(stale_segments(&mut conn)?.len(), 24);
    Ok(conn)
}

#[test]
fn a_page_uses_the_summaries_of_stale_segments() -> TestResult {
    let mut conn = log_of_stale_segments()?;
    let filters = of_actor("user 3", category("never"));
    let statements = statements(&mut conn, |log| log.page(&filters, None, 50).map(drop))?;
    let reads = statements.iter().filter(|statement| statement.sql.contains("`message`"));
    assert_eq!(reads.count(), 1, "only the unsummarized rows are read");
    assert_eq!(found(&mut conn, &category("auth"))?.len(), 25);
    Ok(())
}

#[test]
fn recording_leaves_at_most_four_stale_segments() -> TestResult {
    let mut conn = log_of_stale_segments()?;
    for number in 0..1_000 {
        ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
    }
    assert!(stale_segments(&mut conn)?.len() <= 4, "{:?}", stale_segments(&mut conn)?);
    assert_eq!(count(&mut conn, &everything())?, 100_000 - 25 + 1_000);
    Ok(())
}

#[test]
fn start_up_leaves_at_most_four_stale_segments() -> TestResult {
    let mut conn = log_of_stale_segments()?;
    run_migrations(&mut conn)?;
    assert!(stale_segments(&mut conn)?.len() <= 4, "{:?}", stale_segments(&mut conn)?);
    Ok(())
}

/// A log of 4,095 rows in a database without a write-ahead log, where a writer stops every reader; and another connection.
fn log_that_readers_can_be_kept_from(folder: &Path) -> TestResult<[SqliteConnection; 2]> {
    let url = folder.join("log.db").display().to_string();
    let mut conn = SqliteConnection::establish(&url)?;
    conn.batch_execute("PRAGMA journal_mode = DELETE; PRAGMA busy_timeout = 50")?;
    run_migrations(&mut conn)?;
    record_numbered(&mut conn, 4_095)?;
    Ok([conn, SqliteConnection::establish(&url)?])
}

#[test]
fn an_entry_is_recorded_even_if_nobody_can_read_whether_summarizing_is_due() -> TestResult {
    type Record = fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>;
    let records: [(&'static str, Record); 2] = [
        ("INSERT INTO `activity_log`", |log| log.record(&numbered(4_096)).map(drop)),
        ("COMMIT", |log| log.record_all(&[numbered(4_096)]).map(drop)),
    ];
    for (after, record) in records {
        let folder = tempfile::tempdir()?;
        let [mut conn, mut other] = log_that_readers_can_be_kept_from(folder.path())?;
        let (keep, kept) = mpsc::channel();
        after_query(&mut conn, after, move || {
            other.batch_execute("BEGIN EXCLUSIVE")?;
            keep.send(other).map_err(|_| "nobody waits")?;
            Ok(())
        });
        record(&mut ActivityLogRepository::new(&mut conn))?;
        drop(kept.recv()?);
        assert_eq!(count(&mut conn, &everything())?, 4_096);
    }
    Ok(())
}

#[test]
fn start_up_inside_a_transaction_leaves_summarizing_to_recording() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    insert_as_others_do(&mut conn, 9_000, 7)?;
    writer.batch_execute("BEGIN IMMEDIATE")?;
    conn.transaction(run_migrations)?;
    assert_eq!(unsummarized(&mut conn)?, 9_000);
    Ok(())
}

#[test]
fn start_up_ends_when_a_trigger_of_the_host_refuses_every_segment() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 90_000, 7)?;
    conn.batch_execute("CREATE TRIGGER hosts BEFORE INSERT ON activity_log_segments BEGIN SELECT RAISE(IGNORE); END")?;
    run_migrations(&mut conn)?;
    assert_eq!(unsummarized(&mut conn)?, 90_000);
    Ok(())
}

#[test]
fn start_up_waits_for_other_writers_and_summarizes_everything() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    insert_as_others_do(&mut conn, 200_000, 7)?;
    let (stop, stopped) = mpsc::channel::<()>();
    thread::scope(|scope| -> TestResult {
        let writes = scope.spawn(move || -> TestResult {
            while matches!(stopped.try_recv(), Err(TryRecvError::Empty)) {
                insert_as_others_do(&mut writer, 1, 7)?;
            }
            Ok(())
        });
        run_migrations(&mut conn)?;
        drop(stop);
        writes.join().map_err(|_| "a thread panicked")??;
        Ok(())
    })?;
    assert!(segments(&mut conn)?.len() >= 48);
    Ok(())
}
