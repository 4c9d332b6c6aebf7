//! The migrations create the table, adopt an existing table, and coexist with the host's own migrations.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use activity_log::{ActivityCategory, ActivityLogFilters, ActivityLogRepository, MIGRATIONS, connect, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use serde_json::json;

use crate::database::{SharedLog, stored_seqs};
use crate::support::{TestResult, at, everything, numbered, record_numbered, seqs};

const HOST_MIGRATIONS: EmbeddedMigrations = embed_migrations!("tests/sqlite/host_migrations");

#[derive(QueryableByName, Debug, PartialEq)]
struct SchemaObject {
    #[diesel(sql_type = Text)]
    r#type: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    tbl_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

fn schema(conn: &mut SqliteConnection) -> TestResult<Vec<SchemaObject>> {
    Ok(diesel::sql_query("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").load(conn)?)
}

fn names(conn: &mut SqliteConnection) -> TestResult<Vec<String>> {
    Ok(schema(conn)?.into_iter().map(|object| object.name).collect())
}

#[test]
fn running_reverting_and_running_again_leaves_the_same_schema() -> TestResult {
    let mut conn = connect(":memory:")?;
    run_migrations(&mut conn)?;
    let first = schema(&mut conn)?;
    assert!(first.iter().any(|object| object.name == "activity_log"));

    conn.revert_all_migrations(MIGRATIONS)?;
    let left = names(&mut conn)?;
    assert!(left.iter().all(|name| !name.contains("activity_log")), "{left:?}");

    run_migrations(&mut conn)?;
    assert_eq!(schema(&mut conn)?, first);
    Ok(())
}

#[test]
fn running_twice_changes_nothing() -> TestResult {
    let mut conn = connect(":memory:")?;
    run_migrations(&mut conn)?;
    record_numbered(&mut conn, 3)?;
    let first = schema(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(schema(&mut conn)?, first);
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 3]);
    Ok(())
}

#[test]
fn running_with_nothing_pending_takes_no_lock() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut writer) = (file.connect()?, file.connect()?);
    conn.batch_execute("PRAGMA busy_timeout = 0")?;
    writer.batch_execute("BEGIN IMMEDIATE")?;
    run_migrations(&mut conn)?;
    Ok(())
}

#[test]
fn concurrent_starts_on_a_migrated_database_run_each_migration_once() -> TestResult {
    const STARTERS: usize = 8;
    for round in 0..10 {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("host.db").display().to_string();
        connect(&path)?.run_pending_migrations(HOST_MIGRATIONS)?;

        let together = Barrier::new(STARTERS);
        let failures = thread::scope(|scope| {
            let starters = (0..STARTERS)
                .map(|_| {
                    scope.spawn(|| {
                        let mut conn = connect(&path)?;
                        together.wait();
                        run_migrations(&mut conn)
                    })
                })
                .collect::<Vec<_>>();
            starters.into_iter().map(|starter| starter.join()).filter(|end| !matches!(end, Ok(Ok(())))).count()
        });
        assert_eq!(failures, 0, "round {round}");
    }
    Ok(())
}

#[test]
fn the_first_migration_can_be_run_by_hand_twice() -> TestResult {
    let mut conn = connect(":memory:")?;
    let up = include_str!("../../migrations/0000-activity-log-0001_create_activity_log/up.sql");
    conn.batch_execute(up)?;
    record_numbered(&mut conn, 3)?;
    conn.batch_execute(up)?;
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 3]);
    Ok(())
}

#[test]
fn the_embedded_migrations_match_the_folder() -> TestResult {
    let embedded = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)?
        .iter()
        .map(|migration| migration.name().to_string())
        .collect::<BTreeSet<_>>();
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))?
        .map(|folder| Ok(folder?.file_name().to_string_lossy().into_owned()))
        .collect::<TestResult<BTreeSet<_>>>()?;
    assert_eq!(embedded, folders);
    Ok(())
}

#[test]
fn every_version_sorts_below_any_timestamp() -> TestResult {
    for migration in MigrationSource::<Sqlite>::migrations(&MIGRATIONS)? {
        let version = migration.name().version().to_string();
        assert!(version.as_str() < "1970", "{version}");
        assert!(version.contains("activity"), "{version}");
    }
    Ok(())
}

#[test]
fn migrations_run_inside_a_transaction_are_part_of_it() -> TestResult {
    let mut conn = connect(":memory:")?;
    let rolled_back = conn.transaction::<(), activity_log::Error, _>(|conn| {
        run_migrations(conn)?;
        ActivityLogRepository::new(conn).record(&numbered(1))?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(names(&mut conn)?, Vec::<String>::new());
    Ok(())
}

/// The table and the rows as the Python server writes them.
fn written_by_python() -> TestResult<SqliteConnection> {
    let mut conn = connect(":memory:")?;
    conn.batch_execute(
        r#"
        CREATE TABLE activity_log (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT UNIQUE NOT NULL,
            ts TEXT NOT NULL,
            category TEXT NOT NULL,
            action TEXT NOT NULL,
            severity TEXT NOT NULL,
            actor TEXT NOT NULL,
            entity_type TEXT,
            entity_id TEXT,
            entity_name TEXT,
            message TEXT NOT NULL,
            metadata TEXT NOT NULL DEFAULT '{}'
        );
        INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata)
        VALUES
            ('al_1a2b3c4d', '2025-06-01T12:00:00.123456+00:00', 'device', 'device.created', 'info', 'admin',
             'device', 'dev_1', 'Lamp', 'Created device', '{"brightness": 0.1, "tags": ["\u00e9"]}'),
            ('al_00000002', '2025-06-01T12:00:01+00:00', 'playlist', 'playlist.started', 'warning', 'system',
             NULL, NULL, NULL, 'Started playlist', '{}');
        "#,
    )?;
    Ok(conn)
}

#[test]
fn a_table_written_by_python_is_adopted_with_its_rows() -> TestResult {
    let mut conn = written_by_python()?;
    run_migrations(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let entries = log.query(&everything(), None, 9)?;

    assert_eq!(seqs(&entries), [2, 1]);
    assert_eq!(entries[1].id, "al_1a2b3c4d");
    assert_eq!(entries[1].ts, at("2025-06-01T12:00:00.123456Z")?);
    assert_eq!(entries[1].category, ActivityCategory::Device);
    assert_eq!(entries[1].entity_name.as_deref(), Some("Lamp"));
    assert_eq!(serde_json::Value::from(entries[1].metadata.clone()), json!({"brightness": 0.1, "tags": ["é"]}));
    assert_eq!(entries[0].ts, at("2025-06-01T12:00:01Z")?);
    assert_eq!(entries[0].category, ActivityCategory::Other("playlist".to_owned()));
    assert_eq!(log.record(&numbered(1))?, 3);
    Ok(())
}

#[test]
fn metadata_as_python_writes_it_is_found_by_its_members() -> TestResult {
    let mut conn = written_by_python()?;
    conn.batch_execute(
        r#"
        UPDATE activity_log SET metadata =
            '{"n": 10, "a": 1, "b": {"c": "\u00e9 \ud83d\ude00 \u007f", "d": [1, {"e": null}], "x, \"f": true}, "g": 2}' WHERE seq = 2
        "#,
    )?;
    run_migrations(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let mut found = |key: &str, value: serde_json::Value| {
        let filters = ActivityLogFilters { metadata: [(key.to_owned(), value)].into_iter().collect(), ..everything() };
        log.query(&filters, None, 9).map(|entries| seqs(&entries))
    };
    assert_eq!(found("brightness", 0.1.into())?, [1]);
    assert_eq!(found("tags", ["é"].as_slice().into())?, [1]);
    for (key, value) in [
        ("a", json!(1)),
        ("c", json!("é 😀 \u{7f}")),
        ("d", json!([1, {"e": null}])),
        ("e", json!(null)),
        ("x, \"f", json!(true)),
        ("g", json!(2)),
    ] {
        assert_eq!(found(key, value)?, [2], "{key}");
    }
    assert_eq!(found("f", true.into())?, [0; 0]);
    assert_eq!(found("n", 1.into())?, [0; 0]);
    assert_eq!(found("c", "é".into())?, [0; 0]);
    Ok(())
}

#[test]
fn an_adopted_table_gets_the_indexes_of_a_new_one() -> TestResult {
    let mut adopted = written_by_python()?;
    run_migrations(&mut adopted)?;
    let mut new = connect(":memory:")?;
    run_migrations(&mut new)?;
    assert_eq!(names(&mut adopted)?, names(&mut new)?);
    Ok(())
}

#[test]
fn the_log_coexists_with_the_hosts_migrations_whichever_run_first() -> TestResult {
    let mut host_first = connect(":memory:")?;
    host_first.run_pending_migrations(HOST_MIGRATIONS)?;
    run_migrations(&mut host_first)?;

    let mut log_first = connect(":memory:")?;
    run_migrations(&mut log_first)?;
    log_first.run_pending_migrations(HOST_MIGRATIONS)?;

    for conn in [&mut host_first, &mut log_first] {
        record_numbered(conn, 2)?;
        conn.batch_execute("INSERT INTO devices (name) VALUES ('Lamp')")?;
        assert!(!conn.has_pending_migration(MIGRATIONS)?);
        assert!(!conn.has_pending_migration(HOST_MIGRATIONS)?);
    }
    assert_eq!(schema(&mut host_first)?, schema(&mut log_first)?);
    Ok(())
}

#[test]
fn a_host_can_still_revert_its_last_migration() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.run_pending_migrations(HOST_MIGRATIONS)?;
    run_migrations(&mut conn)?;
    record_numbered(&mut conn, 2)?;

    conn.revert_last_migration(HOST_MIGRATIONS)?;
    let left = names(&mut conn)?;
    assert!(!left.contains(&"devices".to_owned()), "{left:?}");
    assert_eq!(stored_seqs(&mut conn)?, [1, 2]);

    conn.run_pending_migrations(HOST_MIGRATIONS)?;
    conn.batch_execute("INSERT INTO devices (name) VALUES ('Lamp')")?;
    Ok(())
}

#[test]
fn the_diesel_schema_names_every_column_of_the_table() -> TestResult {
    use activity_log::schema::activity_log;

    let mut conn = connect(":memory:")?;
    run_migrations(&mut conn)?;
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let columns = diesel::sql_query("SELECT name FROM pragma_table_info('activity_log')").load::<Column>(&mut conn)?;
    let columns = columns.into_iter().map(|column| column.name).collect::<Vec<_>>();
    let seen = diesel::debug_query::<Sqlite, _>(&activity_log::table.select(activity_log::all_columns)).to_string();
    for column in &columns {
        assert!(seen.contains(&format!("`{column}`")), "{column} is missing from {seen}");
    }
    assert_eq!(seen.matches("`activity_log`.`").count(), columns.len());

    let seq: Option<i64> = activity_log::table.select(diesel::dsl::max(activity_log::seq)).first(&mut conn)?;
    assert_eq!(seq, None);
    Ok(())
}
