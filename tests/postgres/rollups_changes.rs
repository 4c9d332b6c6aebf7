//! Whatever program changes the log, and however, counts with rollups are those of the rows.

use activity_log::postgres::{ActivityLogRepository, check, enable_rollups, summarize};
use activity_log::{ActivityLogFilters, NewActivityLogEntry};
use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::catalog::Role;
use crate::database::{Connection, schema};
use crate::rollups::{BLOCK, assert_agrees_here_and_there, insert, log_with_rollups, minute, number, settled_blocks};
use crate::support::TestResult;

const ROWS: i64 = 3 * BLOCK + 3_000;

fn count(conn: &mut Connection) -> TestResult<i64> {
    Ok(i64::try_from(ActivityLogRepository::new(conn).count(&ActivityLogFilters::default())?)?)
}

#[test]
fn entries_that_are_recorded_are_counted_at_once() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    ActivityLogRepository::new(&mut conn).record(&NewActivityLogEntry::new(
        "auth",
        "auth.opened",
        "user_1",
        "Entry",
    ))?;
    assert_eq!(count(&mut conn)?, ROWS + 1);
    assert_eq!(settled_blocks(&mut conn)?, 3);
    Ok(())
}

#[test]
fn rows_that_are_restored_with_their_old_numbers_are_counted() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    conn.batch_execute("CREATE TABLE kept AS SELECT * FROM activity_log WHERE seq BETWEEN 10000 AND 40000")?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq BETWEEN 10000 AND 40000")?;
    summarize(&mut conn)?;
    assert_agrees_here_and_there(&mut conn)?;
    conn.batch_execute("INSERT INTO activity_log SELECT * FROM kept WHERE seq % 100 = 0")?;
    assert_agrees_here_and_there(&mut conn)?;
    summarize(&mut conn)?;
    assert_agrees_here_and_there(&mut conn)?;
    conn.batch_execute("INSERT INTO activity_log SELECT * FROM kept WHERE seq % 100 > 98")?;
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn rows_that_another_program_copies_into_old_numbers_are_counted() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    use schema::activity_log as log;
    let lines = (0..100)
        .map(|n| format!("{}\tcopied {n}\t2020-01-02T00:00:00Z\tauth\tauth.opened\tinfo\tuser_1\tEntry\n", n * 300));
    let lines = lines.collect::<String>();
    let columns = (log::seq, log::id, log::ts, log::category, log::action, log::severity, log::actor, log::message);
    diesel::copy_from(log::table)
        .from_raw_data(columns, |copy| {
            copy.write_all(lines.as_bytes()).map_err(|error| diesel::result::Error::SerializationError(error.into()))
        })
        .execute(&mut conn)?;
    assert_eq!(count(&mut conn)?, ROWS + 100);
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn numbers_below_a_sequence_that_was_set_back_are_counted() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    conn.batch_execute("SELECT setval('activity_log_seq_seq', 100)")?;
    insert(&mut conn, "generate_series(1, 10)", "", "")?;
    summarize(&mut conn)?;
    conn.batch_execute("SELECT setval('activity_log_seq_seq', 1000000)")?;
    insert(&mut conn, "generate_series(1, 10)", "", "")?;
    summarize(&mut conn)?;
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn a_truncated_log_is_empty_and_fills_again() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    conn.batch_execute("TRUNCATE activity_log RESTART IDENTITY")?;
    assert_eq!(count(&mut conn)?, 0);
    insert(&mut conn, &format!("generate_series(1, {ROWS})"), "", "")?;
    assert_agrees_here_and_there(&mut conn)?;
    summarize(&mut conn)?;
    assert_eq!(settled_blocks(&mut conn)?, 3);
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn what_is_rolled_back_is_not_counted() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    conn.batch_execute(
        "BEGIN; SAVEPOINT part; DELETE FROM activity_log WHERE seq < 30000; ROLLBACK TO part; \
         DELETE FROM activity_log WHERE seq = 5; SAVEPOINT part; DELETE FROM activity_log WHERE seq = 6; ROLLBACK TO part",
    )?;
    assert_eq!(count(&mut conn)?, ROWS - 1);
    conn.batch_execute("ROLLBACK; BEGIN; TRUNCATE activity_log; ROLLBACK")?;
    assert_eq!(count(&mut conn)?, ROWS);
    assert_eq!(settled_blocks(&mut conn)?, 3);
    Ok(())
}

#[test]
fn a_prune_leaves_rollups_of_what_is_left_only() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    ActivityLogRepository::new(&mut conn).prune(Some(minute(BLOCK + 9_000)), Some(25_000))?;
    assert_eq!(count(&mut conn)?, 25_000);
    assert_eq!(number(&mut conn, "SELECT count(*) FROM activity_log_rollup_marks")?, 0);
    assert_eq!(
        number(&mut conn, "SELECT count(DISTINCT block) FROM activity_log_rollups")?,
        settled_blocks(&mut conn)?
    );
    assert!(settled_blocks(&mut conn)? > 0);
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn nothing_of_an_erased_actor_is_left_in_the_rollups() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    ActivityLogRepository::new(&mut conn).erase_actor("user_3", "erased")?;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM activity_log_rollups WHERE actor = 'user_3'")?, 0);
    assert!(number(&mut conn, "SELECT count(*) FROM activity_log_rollups WHERE actor = 'erased'")? > 0);
    assert_eq!(settled_blocks(&mut conn)?, 3);
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn recording_summarizes_what_is_due_now_and_then() -> TestResult {
    let mut conn = log_with_rollups(0)?;
    let entries = (0..1_000).map(|n| {
        NewActivityLogEntry::new("auth", "auth.opened", format!("user_{n}"), "Entry")
            .ts(minute(n) + TimeDelta::seconds(1))
    });
    for _ in 0..60 {
        ActivityLogRepository::new(&mut conn).record_all(&entries.clone().collect::<Vec<_>>())?;
    }
    assert!(settled_blocks(&mut conn)? >= 2);
    assert_eq!(count(&mut conn)?, 60_000);
    Ok(())
}

#[test]
fn entries_of_a_transaction_that_stays_open_are_counted_once_it_commits() -> TestResult {
    let mut conn = log_with_rollups(10)?;
    let mut other = crate::database::connect(&url_of(&mut conn)?)?;
    other.batch_execute("BEGIN")?;
    ActivityLogRepository::new(&mut other).record(&NewActivityLogEntry::new(
        "auth",
        "auth.opened",
        "user_1",
        "Entry",
    ))?;
    insert(&mut conn, &format!("generate_series(20, {ROWS})"), "", "")?;
    summarize(&mut conn)?;
    assert_eq!(settled_blocks(&mut conn)?, 0);
    let before = count(&mut conn)?;
    other.batch_execute("COMMIT")?;
    assert_eq!(count(&mut conn)?, before + 1);
    summarize(&mut conn)?;
    assert_eq!(settled_blocks(&mut conn)?, 3);
    assert_eq!(count(&mut conn)?, before + 1);
    Ok(())
}

/// The address of the schema of a connection.
fn url_of(conn: &mut Connection) -> TestResult<String> {
    let schema = crate::catalog::lines(conn, "SELECT current_schema()::text AS line")?.concat();
    let server = crate::server::server();
    let separator = if server.contains('?') { '&' } else { '?' };
    Ok(format!("{server}{separator}options=-csearch_path%3D{schema}"))
}

#[test]
fn a_role_without_rights_on_the_rollups_deletes_and_restores_and_counts() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    let role = Role::create(&mut conn)?;
    let role = &role.0;
    conn.batch_execute(&format!(
        "REVOKE ALL ON activity_log_rollups, activity_log_rollup_blocks, activity_log_rollup_marks, \
             activity_log_rollup_progress, activity_log_rollup_boundary FROM {role}; SET ROLE {role}"
    ))?;
    insert(&mut conn, "generate_series(1, 5)", ", seq", ", n * 10")?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq BETWEEN 20000 AND 20009")?;
    enable_rollups(&mut conn)?;
    summarize(&mut conn)?;
    assert_eq!(count(&mut conn)?, ROWS - 5);
    conn.batch_execute("RESET ROLE")?;
    assert_eq!(settled_blocks(&mut conn)?, 1);
    assert_eq!(count(&mut conn)?, ROWS - 5);
    Ok(())
}

#[test]
fn a_role_that_may_not_see_all_rows_counts_those_that_it_sees() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    let role = Role::create(&mut conn)?;
    conn.batch_execute(&format!(
        "ALTER TABLE activity_log ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY own ON activity_log USING (actor = 'user_3'); SET ROLE {}",
        role.0
    ))?;
    let own = number(&mut conn, "SELECT count(*) FROM activity_log")?;
    assert!(own < ROWS / 2);
    assert_eq!(count(&mut conn)?, own);
    conn.batch_execute("RESET ROLE")?;
    Ok(())
}

#[test]
fn triggers_that_are_disabled_for_a_load_are_noticed_until_the_rollups_are_enabled_again() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    conn.batch_execute("ALTER TABLE activity_log DISABLE TRIGGER ALL; DELETE FROM activity_log WHERE seq < 20000")?;
    assert_eq!(check(&mut conn)?.len(), 4);
    assert_agrees_here_and_there(&mut conn)?;
    conn.batch_execute("ALTER TABLE activity_log ENABLE TRIGGER ALL")?;
    assert_eq!(check(&mut conn)?.len(), 4);
    assert_agrees_here_and_there(&mut conn)?;
    enable_rollups(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    assert_eq!(settled_blocks(&mut conn)?, 2);
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn sessions_that_replay_changes_mark_them_too() -> TestResult {
    let mut conn = log_with_rollups(ROWS)?;
    conn.batch_execute("SET session_replication_role = replica; DELETE FROM activity_log WHERE seq < 20000")?;
    insert(&mut conn, "generate_series(1, 5)", ", seq", ", n * 10 + 40000")?;
    assert_agrees_here_and_there(&mut conn)
}
