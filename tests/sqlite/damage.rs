//! What other tools take away from a log, `check` reports and the next start puts back.

use activity_log::{
    ActivityLogFilters, ActivityLogRepository, Error, MIGRATIONS, Problem, check, connect, disable_search,
    enable_search, resummarize, run_migrations,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_migrations::MigrationHarness;

use crate::behaviour::time_windows::{found as found_within, window};
use crate::database::{empty_log, stored_seqs};
use crate::kinds::{category, count, found, insert_as_others_do, of_actor};
use crate::support::{TestResult, everything, numbered, record_numbered};

const CREATE_TABLE: &str = include_str!("../../migrations/0000-activity-log-0001_create_activity_log/up.sql");

#[derive(QueryableByName, Debug, PartialEq)]
struct Object {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    definition: Option<String>,
}

/// The log's tables, indexes and triggers.
fn objects(conn: &mut SqliteConnection) -> TestResult<Vec<Object>> {
    let objects = "SELECT type AS kind, name, sql AS definition FROM sqlite_master \
        WHERE tbl_name LIKE 'activity_log%' ORDER BY type, name";
    Ok(diesel::sql_query(objects).load(conn)?)
}

/// A log of several segments, of which some are summarized.
fn whole_log() -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 13_000, 7)?;
    run_migrations(&mut conn)?;
    Ok(conn)
}

/// Replaces the table of entries by a copy, as tools do that cannot alter one.
fn rebuild(conn: &mut SqliteConnection) -> TestResult {
    let create = CREATE_TABLE.split("CREATE INDEX").next().ok_or("no table")?;
    conn.batch_execute(&create.replace("activity_log (", "copy ("))?;
    conn.batch_execute(
        "INSERT INTO copy SELECT * FROM activity_log; DROP TABLE activity_log; ALTER TABLE copy RENAME TO activity_log",
    )?;
    Ok(())
}

#[test]
fn a_whole_log_has_no_problem_and_is_left_as_it_is() -> TestResult {
    let mut conn = whole_log()?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq = 7; UPDATE activity_log SET actor = 'x' WHERE seq = 5000")?;
    assert_eq!(check(&mut conn)?, []);
    let before = objects(&mut conn)?;
    conn.batch_execute("PRAGMA query_only = ON")?;
    run_migrations(&mut conn)?;
    assert_eq!(objects(&mut conn)?, before);
    Ok(())
}

#[test]
fn each_object_that_is_dropped_is_reported_and_put_back() -> TestResult {
    let names = objects(&mut whole_log()?)?.into_iter().filter(|object| object.definition.is_some());
    for Object { kind, name, .. } in names.filter(|object| object.name != "activity_log") {
        let mut conn = whole_log()?;
        let before = objects(&mut conn)?;
        conn.batch_execute(&format!("DROP {kind} {name}"))?;
        assert!(check(&mut conn)?.contains(&Problem::Missing { kind, name: name.clone() }), "{name}");

        run_migrations(&mut conn)?;
        assert_eq!(objects(&mut conn)?, before, "{name}");
        assert_eq!(check(&mut conn)?, [], "{name}");
        assert_eq!(count(&mut conn, &category("area 1"))?, 4_334, "{name}");
    }
    Ok(())
}

#[test]
fn an_object_that_was_defined_otherwise_is_reported_and_replaced() -> TestResult {
    let others = [
        ("index", "idx_activity_log_actor", "CREATE INDEX idx_activity_log_actor ON activity_log (message)"),
        (
            "trigger",
            "activity_log_segments_delete",
            "CREATE TRIGGER activity_log_segments_delete AFTER DELETE ON activity_log BEGIN SELECT 1; END",
        ),
        ("table", "activity_log_segment_rollups", "CREATE TABLE activity_log_segment_rollups (first_seq)"),
        ("table", "activity_log_segments", "CREATE TABLE activity_log_segments (first_seq)"),
    ];
    for (kind, name, definition) in others {
        let mut conn = whole_log()?;
        let before = objects(&mut conn)?;
        conn.batch_execute(&format!("DROP {kind} {name}; {definition}"))?;
        let different = Problem::Different { kind: kind.to_owned(), name: name.to_owned() };
        assert!(check(&mut conn)?.contains(&different), "{name}");
        run_migrations(&mut conn)?;
        assert_eq!(objects(&mut conn)?, before, "{name}");
        assert_eq!(count(&mut conn, &category("area 1"))?, 4_334, "{name}");
    }
    Ok(())
}

#[test]
fn a_rebuilt_table_is_whole_after_the_next_start() -> TestResult {
    for start in [run_migrations, resummarize] {
        let mut conn = whole_log()?;
        rebuild(&mut conn)?;
        start(&mut conn)?;
        assert_eq!(check(&mut conn)?, []);

        conn.batch_execute(
            "UPDATE activity_log SET ts = '1970-01-01T16:40:00+00:00', actor = 'clock' WHERE seq = 12000",
        )?;
        assert_eq!(found_within(&mut conn, &window(1_000, 1_001))?, [12_000]);
        ActivityLogRepository::new(&mut conn).prune(None, Some(1_000))?;
        assert_eq!(count(&mut conn, &everything())?, 1_000);
    }
    Ok(())
}

#[test]
fn a_row_changed_while_the_triggers_were_lost_is_found_after_the_next_start() -> TestResult {
    let mut conn = whole_log()?;
    rebuild(&mut conn)?;
    conn.batch_execute(
        "UPDATE activity_log SET actor = 'alice', category = 'auth' WHERE seq = 7; DELETE FROM activity_log WHERE seq = 9",
    )?;
    run_migrations(&mut conn)?;
    assert_eq!(found(&mut conn, &of_actor("alice", category("auth")))?, [7]);
    assert_eq!(count(&mut conn, &everything())?, 12_999);
    Ok(())
}

#[test]
fn an_emptied_summary_is_computed_again() -> TestResult {
    let tables = ["activity_log_segments", "activity_log_segment_rollups"];
    for table in tables {
        let mut conn = whole_log()?;
        let filters = of_actor("user 1", category("area 1"));
        let before = found(&mut conn, &filters)?;
        conn.batch_execute(&format!("DELETE FROM {table}"))?;
        run_migrations(&mut conn)?;
        assert_eq!(found(&mut conn, &filters)?, before, "{table}");
        assert_eq!(count(&mut conn, &category("area 1"))?, 4_334, "{table}");
        assert_eq!(check(&mut conn)?, [], "{table}");
    }
    Ok(())
}

#[test]
fn a_summary_that_disagrees_with_its_entries_is_reported_and_resummarizing_mends_it() -> TestResult {
    let damages = [
        "UPDATE activity_log_segments SET entries = entries + 1 WHERE first_seq = 4096",
        "UPDATE activity_log_segments SET max_ts = '1970' WHERE first_seq = 4096",
        "UPDATE activity_log_segments SET in_order = NOT in_order WHERE first_seq = 4096",
        "UPDATE activity_log_segment_rollups SET entries = 1 WHERE first_seq = 4096 AND level = 0",
        "UPDATE activity_log_segment_rollups SET entries = 1 WHERE first_seq = 4096 AND level = 1",
        "DELETE FROM activity_log_segment_rollups WHERE first_seq = 4096 AND actor = 'user 1'",
        "DELETE FROM activity_log_segments WHERE first_seq = 4096",
        "DELETE FROM activity_log WHERE seq = 4099; UPDATE activity_log_segments SET stale = FALSE",
        "UPDATE activity_log_segments SET stale = TRUE; DELETE FROM activity_log_segment_rollups WHERE first_seq = 4096",
    ];
    for damage in damages {
        let mut conn = whole_log()?;
        conn.batch_execute(damage)?;
        assert_eq!(check(&mut conn)?, [Problem::WrongSummary { first_seq: 4_096 }], "{damage}");
        resummarize(&mut conn)?;
        assert_eq!(check(&mut conn)?, [], "{damage}");
    }
    Ok(())
}

#[test]
fn a_summary_of_numbers_that_are_still_to_be_given_is_reported() -> TestResult {
    let mut conn = whole_log()?;
    conn.batch_execute("INSERT INTO activity_log_segments SELECT 40960, 0, '', '', FALSE, FALSE, FALSE, FALSE")?;
    // It also pretends that the rows before it are summarized.
    let wrong = [12_288, 40_960].map(|first_seq| Problem::WrongSummary { first_seq });
    assert_eq!(check(&mut conn)?, wrong);
    Ok(())
}

#[test]
fn a_search_index_that_lacks_messages_is_reported_and_resummarizing_mends_it() -> TestResult {
    let damages = [
        "DELETE FROM activity_log_search_docsize WHERE id = 7",
        "DROP TABLE activity_log_search_docsize",
        // Every message is there, and none is found.
        "UPDATE activity_log SET message = 'Tock' WHERE seq <= 4096; UPDATE activity_log_segments SET in_search = TRUE",
    ];
    for damage in damages {
        let mut conn = whole_log()?;
        enable_search(&mut conn)?;
        assert_eq!(check(&mut conn)?, []);
        conn.batch_execute(damage)?;
        assert_eq!(check(&mut conn)?, [Problem::WrongSearch], "{damage}");
        resummarize(&mut conn)?;
        assert_eq!(check(&mut conn)?, [], "{damage}");
    }
    Ok(())
}

#[test]
fn a_name_that_another_tables_index_has_is_refused_with_both_names() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.batch_execute(
        "CREATE TABLE old_log (ts TEXT); CREATE UNIQUE INDEX idx_activity_log_ts ON old_log (ts); \
         INSERT INTO old_log VALUES ('now')",
    )?;
    for start in [run_migrations, resummarize] {
        let refused = start(&mut conn);
        assert!(
            matches!(&refused, Err(Error::NameTaken { kind, name, table, needed_for })
                if (kind.as_str(), name.as_str(), table.as_str(), needed_for.as_str())
                    == ("index", "idx_activity_log_ts", "old_log", "activity_log")),
            "{refused:?}"
        );
    }
    assert!(conn.batch_execute("INSERT INTO old_log VALUES ('now')").is_err(), "the host's index is still unique");
    conn.batch_execute("DROP INDEX idx_activity_log_ts")?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn a_table_of_the_hosts_own_with_a_name_that_the_log_needs_is_refused_and_kept() -> TestResult {
    for table in ["activity_log_segments", "activity_log_segment_rollups"] {
        let mut conn = connect(":memory:")?;
        let create = format!("CREATE TABLE {table} (name TEXT, length INTEGER); INSERT INTO {table} VALUES ('A1', 7)");
        conn.batch_execute(&create)?;
        for start in [run_migrations, resummarize] {
            let refused = start(&mut conn);
            assert!(matches!(&refused, Err(Error::NameTaken { name, .. }) if name == table), "{refused:?}");
        }
        assert_eq!(diesel::sql_query(format!("DELETE FROM {table}")).execute(&mut conn)?, 1, "{table}");
    }
    Ok(())
}

#[test]
fn an_object_of_the_hosts_own_with_a_name_of_the_search_index_is_refused_and_kept() -> TestResult {
    let objects = [
        "CREATE TABLE activity_log_search (id INTEGER PRIMARY KEY, message TEXT)",
        "CREATE VIRTUAL TABLE activity_log_search USING fts5(message)",
        "CREATE TABLE activity_log_search_config (setting TEXT)",
        "CREATE VIEW activity_log_search AS SELECT 'Lamp' AS message",
    ];
    for object in objects {
        let mut conn = whole_log()?;
        conn.batch_execute(object)?;
        let name = if object.contains("_config") { "activity_log_search_config" } else { "activity_log_search" };
        if !object.contains("VIEW") {
            conn.batch_execute(&format!(
                "INSERT INTO {name} VALUES ({})",
                if object.contains("id ") { "1, 'Lamp'" } else { "'Lamp'" }
            ))?;
        }
        for change in [enable_search, disable_search] {
            let refused = change(&mut conn);
            assert!(matches!(&refused, Err(Error::NameTaken { .. })), "{object}: {refused:?}");
        }
        // Neither does it disturb the log, nor the log it.
        let ticks = ActivityLogFilters { message_contains: Some("Tick".to_owned()), ..everything() };
        assert_eq!(count(&mut conn, &ticks)?, 13_000, "{object}");
        record_numbered(&mut conn, 5_000)?;
        assert_eq!(activity_log::unsummarized(&mut conn)?, 18_000 % 4_096 + 1, "{object}");
        conn.batch_execute("DROP TRIGGER activity_log_segments_delete")?;
        run_migrations(&mut conn)?;
        resummarize(&mut conn)?;
        ActivityLogRepository::new(&mut conn).clear()?;
        assert_eq!(found_in(&mut conn, name)?, 1, "{object}");
    }
    Ok(())
}

fn found_in(conn: &mut SqliteConnection, table: &str) -> TestResult<i64> {
    #[derive(QueryableByName)]
    struct Rows {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        rows: i64,
    }
    let rows = format!("SELECT count(*) AS rows FROM {table}");
    Ok(diesel::sql_query(rows).get_result::<Rows>(conn)?.rows)
}

#[test]
fn an_attached_database_has_a_log_of_its_own() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.batch_execute("ATTACH ':memory:' AS other; CREATE TABLE other.activity_log (what TEXT)")?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn a_log_with_repeated_ids_starts_without_a_lock() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.batch_execute(&CREATE_TABLE.replace("id TEXT UNIQUE NOT NULL", "id TEXT NOT NULL"))?;
    record_numbered(&mut conn, 2)?;
    conn.batch_execute("UPDATE activity_log SET id = 'same'")?;
    run_migrations(&mut conn)?;
    conn.batch_execute("PRAGMA query_only = ON")?;
    run_migrations(&mut conn)?;
    Ok(())
}

#[test]
fn a_table_that_is_spelled_otherwise_is_checked_too() -> TestResult {
    let mut conn = connect(":memory:")?;
    let create = CREATE_TABLE.replace("IF NOT EXISTS activity_log (", "Activity_Log (").replace("AUTOINCREMENT", "");
    conn.batch_execute(&create)?;
    run_migrations(&mut conn)?;
    insert_as_others_do(&mut conn, 9_000, 7)?;
    run_migrations(&mut conn)?;
    conn.batch_execute("UPDATE activity_log_segments SET entries = 1 WHERE first_seq = 0")?;
    assert_eq!(check(&mut conn)?, [Problem::NoAutoincrement, Problem::WrongSummary { first_seq: 0 }]);
    Ok(())
}

#[test]
fn a_former_log_that_was_renamed_keeps_its_names_and_is_reported() -> TestResult {
    let mut conn = whole_log()?;
    conn.batch_execute("ALTER TABLE activity_log RENAME TO old_log")?;
    let refused = run_migrations(&mut conn);
    assert!(matches!(&refused, Err(Error::NameTaken { table, .. }) if table == "old_log"), "{refused:?}");
    Ok(())
}

#[test]
fn the_migrations_run_by_another_tool_never_drop_an_index_of_another_table() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.batch_execute(
        "CREATE TABLE old_log (ts TEXT); CREATE UNIQUE INDEX idx_activity_log_ts ON old_log (ts); \
         INSERT INTO old_log VALUES ('now')",
    )?;
    let refused = conn.run_pending_migrations(MIGRATIONS).map(drop).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|error| error.contains("an index of another table has a name that the log needs")));
    assert!(conn.batch_execute("INSERT INTO old_log VALUES ('now')").is_err());
    Ok(())
}

#[test]
fn a_table_of_the_hosts_own_is_refused_with_what_it_lacks() -> TestResult {
    let tables = [
        ("CREATE TABLE activity_log (id INTEGER PRIMARY KEY, message TEXT)", "it lacks `seq`, `ts`"),
        ("CREATE VIEW activity_log AS SELECT 1 AS seq", "view"),
    ];
    for (table, reason) in tables {
        let mut conn = connect(":memory:")?;
        conn.batch_execute(table)?;
        for refused in [run_migrations(&mut conn), check(&mut conn).map(drop)] {
            assert!(refused.is_err_and(|error| error.to_string().contains(reason)), "{table}");
        }
    }
    Ok(())
}

#[test]
fn a_copy_that_numbers_no_rows_is_refused() -> TestResult {
    let mut conn = whole_log()?;
    conn.batch_execute(
        "CREATE TABLE copy AS SELECT * FROM activity_log; DROP TABLE activity_log; ALTER TABLE copy RENAME TO activity_log",
    )?;
    let refused = run_migrations(&mut conn);
    assert!(
        matches!(&refused, Err(Error::ForeignTable { reason }) if reason.contains("INTEGER PRIMARY KEY")),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn a_table_that_lost_its_unique_ids_gets_them_back() -> TestResult {
    let mut conn = connect(":memory:")?;
    let create = CREATE_TABLE.replace("id TEXT UNIQUE NOT NULL", "id TEXT NOT NULL");
    assert_ne!(create, CREATE_TABLE);
    conn.batch_execute(&create)?;
    run_migrations(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(1))?;
    assert!(matches!(log.record(&numbered(1)), Err(Error::DuplicateId { .. })));
    Ok(())
}

#[test]
fn a_table_with_repeated_ids_is_adopted_and_reported() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.batch_execute(&CREATE_TABLE.replace("id TEXT UNIQUE NOT NULL", "id TEXT NOT NULL"))?;
    record_numbered(&mut conn, 2)?;
    conn.batch_execute("UPDATE activity_log SET id = 'same'")?;
    run_migrations(&mut conn)?;
    assert_eq!(stored_seqs(&mut conn)?, [1, 2]);
    let missing = Problem::Missing { kind: "index".to_owned(), name: "idx_activity_log_id".to_owned() };
    assert_eq!(check(&mut conn)?, [missing]);
    Ok(())
}

#[test]
fn a_table_without_autoincrement_is_reported() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.batch_execute(&CREATE_TABLE.replace("AUTOINCREMENT", ""))?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, [Problem::NoAutoincrement]);
    Ok(())
}

#[test]
fn a_database_without_a_log_is_reported_by_every_method_and_not_changed() -> TestResult {
    let mut conn = connect(":memory:")?;
    let pending = check(&mut conn)?;
    assert!(matches!(pending.as_slice(), [Problem::PendingMigration { .. }, Problem::PendingMigration { .. }]));
    let mut log = ActivityLogRepository::new(&mut conn);
    let refusals = [
        log.record(&numbered(1)).map(drop),
        log.record_all(&[numbered(1)]).map(drop),
        log.page(&everything(), None, 9).map(drop),
        log.count(&everything()).map(drop),
        log.count(&category("system")).map(drop),
        log.page(&window(1, 2), None, 9).map(drop),
        log.iter_export(&everything()).map(drop),
        log.prune(None, Some(1)).map(drop),
        log.clear().map(drop),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Err(Error::Database(_))), "{refusal:?}");
        assert!(refusal.is_err_and(|error| error.to_string().ends_with("run its migrations first")));
    }
    assert_eq!(objects(&mut conn)?, []);
    Ok(())
}

#[test]
fn a_log_at_the_first_migration_answers_every_question() -> TestResult {
    let mut conn = empty_log()?;
    conn.revert_last_migration(MIGRATIONS)?;
    insert_as_others_do(&mut conn, 9_000, 7)?;
    record_numbered(&mut conn, 5_000)?;
    assert!(matches!(check(&mut conn)?.as_slice(), [Problem::PendingMigration { .. }]));
    assert_eq!(count(&mut conn, &everything())?, 14_000);
    assert_eq!(count(&mut conn, &category("system"))?, 5_000);
    assert_eq!(found(&mut conn, &of_actor("user 1", category("area 1")))?.len(), 750);
    assert_eq!(found(&mut conn, &ActivityLogFilters { since: window(0, 1).since, ..everything() })?.len(), 14_000);
    assert_eq!(activity_log::unsummarized(&mut conn)?, 14_000);
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(None, Some(10))?, 13_990);
    assert_eq!(ActivityLogRepository::new(&mut conn).clear()?, 10);
    Ok(())
}

#[test]
fn a_database_of_a_newer_version_is_left_as_it_is() -> TestResult {
    let mut conn = whole_log()?;
    conn.batch_execute(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('0000activitylog9999'); \
         DROP TRIGGER activity_log_segments_delete; \
         CREATE TRIGGER activity_log_segments_delete AFTER DELETE ON activity_log BEGIN SELECT 'newer'; END",
    )?;
    let before = objects(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(objects(&mut conn)?, before);
    assert!(check(&mut conn)?.contains(&Problem::NewerDatabase));
    Ok(())
}
