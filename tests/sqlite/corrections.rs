//! The segments keep counts and pages right, whichever rows any program deletes or corrects.

use activity_log::{
    ActivityLogFilters, ActivityLogRepository, ActivitySeverity, Facet, MIGRATIONS, connect, resummarize,
    run_migrations,
};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;

use crate::database::empty_log;
use crate::foreign_rows::older_log;
use crate::kinds::{category, count, found, insert_as_others_do, kind, of_actor, segments};
use crate::support::{TestResult, at, everything, numbered, record_numbered};

#[test]
fn a_deleted_row_is_no_longer_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq IN (1, 4095, 4096, 8999)")?;
    assert_eq!(count(&mut conn, &category("system"))?, 8_996);
    Ok(())
}

#[test]
fn a_segment_without_rows_is_dropped_when_the_log_is_next_summarized() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 13_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq BETWEEN 4096 AND 8191")?;
    assert_eq!(count(&mut conn, &everything())?, 13_000 - 4_096);
    let more = (13_001..=16_384).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&more)?;
    assert_eq!(segments(&mut conn)?, [0, 8_192, 12_288]);
    let rows = "SELECT count(*) AS count FROM activity_log_segment_rollups WHERE first_seq = 4096";
    assert_eq!(diesel::sql_query(rows).get_result::<Number>(&mut conn)?.count, 0);
    assert_eq!(count(&mut conn, &everything())?, 16_384 - 4_096);
    Ok(())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[test]
fn a_log_whose_seq_restarts_is_counted_at_once() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    record_numbered(&mut conn, 100)?;
    assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 100);
    assert_eq!(count(&mut conn, &category("system"))?, 100);
    Ok(())
}

#[test]
fn a_corrected_row_is_counted_by_its_new_values() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("UPDATE activity_log SET category = 'auth', severity = 'error' WHERE seq IN (7, 4999)")?;
    assert_eq!(count(&mut conn, &category("system"))?, 4_998);
    assert_eq!(count(&mut conn, &kind("auth", ActivitySeverity::Error))?, 2);
    assert_eq!(found(&mut conn, &of_actor("clock", category("auth")))?, [7, 4_999]);
    Ok(())
}

#[test]
fn the_only_row_of_a_segment_can_be_corrected() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute(
        "DELETE FROM activity_log WHERE seq < 4000 AND seq <> 7; UPDATE activity_log SET category = 'auth' WHERE seq = 7",
    )?;
    assert_eq!(count(&mut conn, &category("auth"))?, 1);
    assert_eq!(found(&mut conn, &of_actor("clock", category("auth")))?, [7]);
    Ok(())
}

#[test]
fn a_corrected_actor_is_found() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("UPDATE activity_log SET actor = 'alice' WHERE seq IN (7, 4999)")?;
    assert_eq!(found(&mut conn, &of_actor("alice", category("system")))?, [7, 4_999]);
    Ok(())
}

#[test]
fn a_correction_with_any_conflict_clause_keeps_the_counts_right() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    // In a trigger, the conflict clause of the outer statement overrides the clauses inside the trigger.
    conn.batch_execute("UPDATE OR REPLACE activity_log SET category = 'auth' WHERE seq IN (7, 8)")?;
    conn.batch_execute("UPDATE OR IGNORE activity_log SET category = 'auth' WHERE seq IN (9, 10)")?;
    conn.batch_execute("UPDATE OR FAIL activity_log SET category = 'auth' WHERE seq IN (11, 12)")?;
    assert_eq!(count(&mut conn, &category("auth"))?, 6);
    assert_eq!(count(&mut conn, &category("system"))?, 4_994);
    Ok(())
}

#[test]
fn a_renumbered_row_is_counted_once() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 13_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq BETWEEN 4000 AND 8191")?;
    let moves = [(1, "seq", 4_001), (2, "seq", 5_000), (3, "rowid", 20_000), (12_999, "oid", 5_001)];
    for (from, seq, to) in moves {
        conn.batch_execute(&format!("UPDATE activity_log SET {seq} = {to} WHERE seq = {from}"))?;
        assert_eq!(count(&mut conn, &everything())?, 13_000 - 4_192);
    }
    assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 13_000 - 4_192);
    Ok(())
}

#[test]
fn a_replaced_row_is_counted_once_with_recursive_triggers() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute(
        "PRAGMA recursive_triggers = ON; \
         INSERT OR REPLACE INTO activity_log (id, ts, category, action, severity, actor, message) \
         VALUES ('al_00000007', '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'b', 'x')",
    )?;
    assert_eq!(count(&mut conn, &everything())?, 5_000);
    Ok(())
}

#[test]
fn rows_with_null_in_an_older_table_are_counted() -> TestResult {
    let mut conn = older_log()?;
    conn.batch_execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000) \
         INSERT INTO activity_log (id, category, severity) \
         SELECT 'x' || n, CASE n % 3 WHEN 0 THEN 'system' WHEN 1 THEN '' END, iif(n % 2, 'error', NULL) FROM n",
    )?;
    run_migrations(&mut conn)?;
    conn.batch_execute(
        "DELETE FROM activity_log WHERE seq <= 6; UPDATE activity_log SET category = NULL WHERE seq <= 12",
    )?;
    assert_eq!(count(&mut conn, &everything())?, 8_994);
    assert_eq!(count(&mut conn, &category("system"))?, 2_996);
    assert_eq!(count(&mut conn, &kind("system", ActivitySeverity::Error))?, 1_498);
    Ok(())
}

#[test]
fn a_row_that_a_trigger_of_the_host_corrects_again_is_counted_by_its_final_values() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "CREATE TRIGGER hosts AFTER UPDATE OF category ON activity_log WHEN new.category <> lower(new.category) \
         BEGIN UPDATE activity_log SET category = lower(category) WHERE seq = new.seq; END",
    )?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("UPDATE activity_log SET category = 'AUTH' WHERE seq = 7")?;
    assert_eq!(count(&mut conn, &everything())?, 5_000);
    assert_eq!(count(&mut conn, &category("AUTH"))?, 0);
    assert_eq!(count(&mut conn, &category("auth"))?, 1);
    Ok(())
}

#[test]
fn a_row_with_the_smallest_possible_seq_is_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("UPDATE activity_log SET seq = -9223372036854775808 WHERE seq = 1")?;
    assert_eq!(count(&mut conn, &everything())?, 5_000);
    conn.batch_execute("DELETE FROM activity_log WHERE seq > 0")?;
    assert_eq!(count(&mut conn, &category("system"))?, 1);
    Ok(())
}

#[test]
fn rows_with_empty_blobs_or_null_are_counted_after_they_are_summarized() -> TestResult {
    let mut conn = older_log()?;
    run_migrations(&mut conn)?;
    conn.batch_execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4095) \
         INSERT INTO activity_log (id, category, severity) \
         SELECT 'x' || n, CASE n % 3 WHEN 0 THEN 'system' WHEN 1 THEN x'' END, \
             CASE n % 5 WHEN 0 THEN 'info' WHEN 1 THEN x'' WHEN 2 THEN 'error' END FROM n",
    )?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    assert_eq!(segments(&mut conn)?, [0]);
    assert_eq!(count(&mut conn, &everything())?, 4_096);
    assert_eq!(count(&mut conn, &category("system"))?, 1_366);
    assert_eq!(count(&mut conn, &kind("system", ActivitySeverity::Info))?, 274);
    assert_eq!(count(&mut conn, &kind("system", ActivitySeverity::Error))?, 273);
    Ok(())
}

#[test]
fn entries_recorded_after_a_renumbered_row_was_summarized_and_deleted_are_counted() -> TestResult {
    // Each runs while a row stands far beyond the numbers that SQLite gives next.
    let summarize: [fn(&mut SqliteConnection) -> TestResult; 3] = [
        |conn| Ok(resummarize(conn)?),
        |conn| {
            conn.revert_last_migration(MIGRATIONS)?;
            Ok(run_migrations(conn)?)
        },
        |conn| Ok(run_migrations(conn)?),
    ];
    for summarize in summarize {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 5_000)?;
        conn.batch_execute("UPDATE activity_log SET seq = 100000 WHERE seq = 5000")?;
        summarize(&mut conn)?;
        conn.batch_execute("DELETE FROM activity_log WHERE seq = 100000")?;
        for number in 0..100 {
            ActivityLogRepository::new(&mut conn).record(&numbered(number + 6_000))?;
        }
        assert_eq!(count(&mut conn, &everything())?, 5_099);
        assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 5_099);
    }
    Ok(())
}

#[test]
fn a_change_whose_statement_a_trigger_of_the_host_ends_is_counted_and_found() -> TestResult {
    let cases = [
        ("AFTER UPDATE ON activity_log BEGIN SELECT RAISE(IGNORE)", "UPDATE"),
        ("AFTER UPDATE ON activity_log BEGIN SELECT RAISE(FAIL, 'hosts')", "UPDATE"),
        ("AFTER UPDATE ON activity_log BEGIN INSERT INTO history VALUES (1)", "UPDATE OR FAIL"),
        // It changes the row further, before ours see it.
        (
            "BEFORE UPDATE OF category ON activity_log BEGIN UPDATE activity_log SET actor = 'bob' WHERE seq = old.seq",
            "UPDATE",
        ),
    ];
    for (trigger, update) in cases {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 9_000)?;
        conn.batch_execute(&format!(
            "CREATE TABLE history (number UNIQUE); INSERT INTO history VALUES (1); CREATE TRIGGER hosts {trigger}; END"
        ))?;
        // Some of these triggers fail the statement and yet leave the row changed.
        let outcome = conn
            .batch_execute(&format!("{update} activity_log SET category = 'auth', severity = 'error' WHERE seq = 7"));
        let actor = if trigger.contains("bob") { "bob" } else { "clock" };
        assert_eq!(count(&mut conn, &category("auth"))?, 1, "{trigger}: {outcome:?}");
        assert_eq!(found(&mut conn, &of_actor(actor, category("auth")))?, [7], "{trigger}");
    }
    Ok(())
}

#[test]
fn a_deletion_whose_statement_a_trigger_of_the_host_ends_is_counted() -> TestResult {
    for ending in ["RAISE(IGNORE)", "RAISE(FAIL, 'hosts')"] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 9_000)?;
        conn.batch_execute(&format!("CREATE TRIGGER hosts AFTER DELETE ON activity_log BEGIN SELECT {ending}; END"))?;
        let outcome = conn.batch_execute("DELETE FROM activity_log WHERE seq = 7");
        assert_eq!(count(&mut conn, &everything())?, 8_999, "{outcome:?}");
    }
    Ok(())
}

#[test]
fn rows_of_a_failed_statement_that_left_no_sequence_are_counted() -> TestResult {
    let mut conn = empty_log()?;
    let failed = conn.batch_execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9001) \
         INSERT OR FAIL INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT iif(n = 9001, 1, n), '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'clock', 'x' FROM n",
    );
    assert!(failed.is_err());
    run_migrations(&mut conn)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq > 100")?;
    conn.batch_execute(
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         VALUES ('new', '2025-06-01T12:00:00+00:00', 'auth', 'a', 'info', 'alice', 'x')",
    )?;
    assert_eq!(count(&mut conn, &everything())?, 101);
    assert_eq!(found(&mut conn, &of_actor("alice", category("auth")))?, [101]);
    Ok(())
}

#[test]
fn a_table_that_is_spelled_otherwise_has_the_same_sequence() -> TestResult {
    let mut conn = connect(":memory:")?;
    let create = include_str!("../../migrations/0000-activity-log-0001_create_activity_log/up.sql");
    conn.batch_execute(&create.replace("IF NOT EXISTS activity_log (", "Activity_Log ("))?;
    run_migrations(&mut conn)?;
    insert_as_others_do(&mut conn, 5_000, 7)?;
    conn.batch_execute("UPDATE activity_log SET seq = 100000 WHERE seq = 4999")?;
    run_migrations(&mut conn)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq = 100000")?;
    insert_as_others_do(&mut conn, 100, 7)?;
    assert_eq!(count(&mut conn, &everything())?, 5_099);
    Ok(())
}

#[test]
fn a_row_without_a_time_is_in_no_time_range() -> TestResult {
    let mut conn = older_log()?;
    conn.batch_execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor) \
         SELECT 'x' || n, iif(n % 10, '1970-01-01T02:00:00+00:00', NULL), 'auth', 'a', 'info', 'clock' FROM n",
    )?;
    run_migrations(&mut conn)?;
    let filters = ActivityLogFilters { until: Some(at("2026-01-01T00:00:00Z")?), ..category("auth") };
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!((log.count(&filters)?, log.count_up_to(&filters, 10_000)?), (8_100, 8_100));
    assert_eq!(log.facets(&filters, Facet::Category, 1)?.values[0].entries, 8_100);
    let edges = [DateTime::<Utc>::MIN_UTC, at("2000-01-01T00:00:00Z")?, DateTime::<Utc>::MAX_UTC];
    let histogram = log.histogram(&category("auth"), &edges)?;
    assert_eq!(histogram.iter().map(|counts| counts.total()).collect::<Vec<_>>(), [8_100, 0]);
    Ok(())
}
