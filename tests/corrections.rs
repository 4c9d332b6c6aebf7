//! Counts and pages are right whatever was deleted and corrected, by whatever program: the chapters keep up.

mod support;

use activity_log::schema::activity_log as stored;
use activity_log::{ActivityLogFilters, ActivityLogRepository, ActivitySeverity, NewActivityLogEntry, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use proptest::prelude::*;
use support::kinds::{category, chapters, count, found, insert_as_others_do, kind, of_actor};
use support::{TestResult, empty_log, everything, numbered, older_log, record_numbered};

#[test]
fn a_deleted_row_is_no_longer_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq IN (1, 4095, 4096, 8999)")?;
    assert_eq!(count(&mut conn, &category("system"))?, 8_996);
    Ok(())
}

#[test]
fn a_chapter_goes_with_its_last_row() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 13_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq BETWEEN 4096 AND 8191")?;
    assert_eq!(chapters(&mut conn)?, [0, 8_192]);
    let rows = "SELECT count(*) AS count FROM activity_log_chapter_actors WHERE first_seq = 4096";
    assert_eq!(diesel::sql_query(rows).get_result::<Number>(&mut conn)?.count, 0);
    assert_eq!(count(&mut conn, &everything())?, 13_000 - 4_096);
    Ok(())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[test]
fn a_log_that_was_made_to_begin_anew_is_counted_at_once() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    record_numbered(&mut conn, 100)?;
    assert_eq!(found(&mut conn, &of_actor("clock", category("system")))?.len(), 100);
    assert_eq!(count(&mut conn, &category("system"))?, 100);
    Ok(())
}

#[test]
fn a_row_is_counted_as_what_it_was_corrected_to() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("UPDATE activity_log SET category = 'auth', severity = 'error' WHERE seq IN (7, 4999)")?;
    assert_eq!(count(&mut conn, &category("system"))?, 4_998);
    assert_eq!(count(&mut conn, &kind("auth", ActivitySeverity::Error))?, 2);
    assert_eq!(found(&mut conn, &of_actor("clock", category("auth")))?, [7, 4_999]);
    Ok(())
}

#[test]
fn the_only_row_of_a_chapter_can_be_corrected() -> TestResult {
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
fn an_actor_that_was_corrected_is_found() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("UPDATE activity_log SET actor = 'alice' WHERE seq IN (7, 4999)")?;
    assert_eq!(found(&mut conn, &of_actor("alice", category("system")))?, [7, 4_999]);
    Ok(())
}

#[test]
fn a_correction_that_gives_way_to_what_is_there_leaves_the_counts_right() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    // In a trigger SQLite puts what the statement says of conflicts in the place of what the trigger says.
    conn.batch_execute("UPDATE OR REPLACE activity_log SET category = 'auth' WHERE seq IN (7, 8)")?;
    conn.batch_execute("UPDATE OR IGNORE activity_log SET category = 'auth' WHERE seq IN (9, 10)")?;
    conn.batch_execute("UPDATE OR FAIL activity_log SET category = 'auth' WHERE seq IN (11, 12)")?;
    assert_eq!(count(&mut conn, &category("auth"))?, 6);
    assert_eq!(count(&mut conn, &category("system"))?, 4_994);
    Ok(())
}

#[test]
fn a_row_that_is_given_another_number_is_counted_once() -> TestResult {
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
fn a_replaced_row_is_counted_once_where_triggers_may_recurse() -> TestResult {
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
fn rows_with_null_are_counted_where_an_older_table_has_them() -> TestResult {
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
    assert_eq!(count(&mut conn, &category(""))?, 2_996);
    assert_eq!(count(&mut conn, &kind("system", ActivitySeverity::Error))?, 1_498);
    Ok(())
}

#[test]
fn a_row_that_a_trigger_of_the_hosts_corrects_again_is_counted_as_what_it_is() -> TestResult {
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
fn a_row_with_the_least_number_that_there_is_is_counted() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute("UPDATE activity_log SET seq = -9223372036854775808 WHERE seq = 1")?;
    assert_eq!(count(&mut conn, &everything())?, 5_000);
    conn.batch_execute("DELETE FROM activity_log WHERE seq > 0")?;
    assert_eq!(count(&mut conn, &category("system"))?, 1);
    Ok(())
}

#[test]
fn rows_with_empty_blobs_and_with_null_are_counted_when_recording_goes_beyond_them() -> TestResult {
    let mut conn = older_log()?;
    run_migrations(&mut conn)?;
    conn.batch_execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4095) \
         INSERT INTO activity_log (id, category, severity) \
         SELECT 'x' || n, CASE n % 3 WHEN 0 THEN 'system' WHEN 1 THEN x'' END, \
             CASE n % 5 WHEN 0 THEN 'info' WHEN 1 THEN x'' WHEN 2 THEN 'error' END FROM n",
    )?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    assert_eq!(chapters(&mut conn)?, [0]);
    assert_eq!(count(&mut conn, &everything())?, 4_096);
    assert_eq!(count(&mut conn, &category("system"))?, 1_366);
    assert_eq!(count(&mut conn, &kind("system", ActivitySeverity::Info))?, 274);
    assert_eq!(count(&mut conn, &kind("system", ActivitySeverity::Error))?, 273);
    Ok(())
}

/// Something that somebody does to a log; of the rows, those whose number leaves `rest` divided by `by`.
#[derive(Debug, Clone)]
enum Change {
    InsertAsOthersDo { rows: i64, pattern: i64 },
    Record { rows: i64 },
    Delete { by: i64, rest: i64 },
    DeleteUpTo { seq: i64 },
    Set { column: &'static str, value: &'static str, by: i64, rest: i64 },
    Renumber { seq: i64, to: i64 },
    Prune { most: u64 },
    Clear,
}

fn change() -> impl Strategy<Value = Change> {
    let set = prop_oneof![
        Just(("category", "area 1")),
        Just(("category", "area 9")),
        Just(("severity", "error")),
        Just(("actor", "user 1")),
        Just(("actor", "user 9")),
    ];
    prop_oneof![
        4 => (1_i64..6_000, 1_i64..40).prop_map(|(rows, pattern)| Change::InsertAsOthersDo { rows, pattern }),
        4 => (1_i64..20).prop_map(|rows| Change::Record { rows }),
        2 => (2_i64..2_000, 0_i64..3).prop_map(|(by, rest)| Change::Delete { by, rest }),
        1 => (0_i64..9_000).prop_map(|seq| Change::DeleteUpTo { seq }),
        4 => (set, 2_i64..2_000, 0_i64..3)
            .prop_map(|((column, value), by, rest)| Change::Set { column, value, by, rest }),
        1 => (1_i64..9_000, 1_i64..20_000).prop_map(|(seq, to)| Change::Renumber { seq, to }),
        1 => (0_u64..9_000).prop_map(|most| Change::Prune { most }),
        1 => Just(Change::Clear),
    ]
}

fn apply(conn: &mut SqliteConnection, change: &Change) -> TestResult {
    match *change {
        Change::InsertAsOthersDo { rows, pattern } => insert_as_others_do(conn, rows, pattern)?,
        Change::Record { rows } => {
            for _ in 0..rows {
                let entry = NewActivityLogEntry::new("area 2", "tick", "user 2", "Recorded");
                ActivityLogRepository::new(conn).record(&entry)?;
            }
        }
        Change::Delete { by, rest } => {
            conn.batch_execute(&format!("DELETE FROM activity_log WHERE seq % {by} = {rest}"))?;
        }
        Change::DeleteUpTo { seq } => conn.batch_execute(&format!("DELETE FROM activity_log WHERE seq <= {seq}"))?,
        Change::Set { column, value, by, rest } => {
            conn.batch_execute(&format!("UPDATE activity_log SET {column} = '{value}' WHERE seq % {by} = {rest}"))?;
        }
        Change::Renumber { seq, to } => {
            conn.batch_execute(&format!("UPDATE OR IGNORE activity_log SET seq = {to} WHERE seq = {seq}"))?;
        }
        Change::Prune { most } => {
            ActivityLogRepository::new(conn).prune(None, Some(most))?;
        }
        Change::Clear => {
            ActivityLogRepository::new(conn).clear()?;
        }
    }
    Ok(())
}

/// The `seq` of the rows that match, by looking at each.
fn looked_through(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let rows = stored::table.select((stored::seq, stored::category, stored::severity, stored::actor));
    let rows = rows.order(stored::seq).load::<(i64, String, String, String)>(conn)?;
    let matching = rows.into_iter().filter(|(_, category, severity, actor)| {
        (filters.categories.is_empty() || filters.categories.iter().any(|any| any.as_str() == category))
            && (filters.severities.is_empty() || filters.severities.iter().any(|any| any.as_str() == severity))
            && filters.actor.as_ref().is_none_or(|name| name == actor)
    });
    Ok(matching.map(|(seq, ..)| seq).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_done_to_a_log_it_gives_the_rows_that_match_and_no_others(
        changes in proptest::collection::vec(change(), 1..12),
    ) {
        let check = || -> TestResult {
            let mut conn = empty_log()?;
            for change in &changes {
                apply(&mut conn, change)?;
            }
            for filters in [
                everything(),
                category("area 1"),
                kind("area 1", ActivitySeverity::Info),
                kind("area 9", ActivitySeverity::Error),
                of_actor("user 1", category("area 1")),
                of_actor("user 9", category("area 2")),
                of_actor("user 2", kind("area 2", ActivitySeverity::Warning)),
                of_actor("user 1", ActivityLogFilters { severities: vec![ActivitySeverity::Error], ..everything() }),
            ] {
                let expected = looked_through(&mut conn, &filters)?;
                assert_eq!(found(&mut conn, &filters)?, expected, "{filters:?}");
            }
            Ok(())
        };
        check().map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
