//! The migrations create the log, take it away again, and coexist with the host's own migrations.

use std::sync::Barrier;
use std::thread;

use activity_log::postgres::{ActivityLogRepository, MIGRATIONS, check, run_migrations};
use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::catalog::{description, lines};
use crate::database::{SharedLog, empty_database, empty_log, stored_seqs};
use crate::support::{TestResult, numbered, record_numbered};

const HOST_MIGRATIONS: EmbeddedMigrations = embed_migrations!("tests/postgres/host_migrations");

#[test]
fn running_reverting_and_running_again_leaves_the_same_schema() -> TestResult {
    let mut conn = empty_log()?;
    let first = description(&mut conn)?;
    assert!(first.iter().any(|line| line == "activity_log r p"), "{first:#?}");

    conn.revert_all_migrations(MIGRATIONS)?;
    let left = description(&mut conn)?;
    assert!(left.iter().all(|line| !line.contains("activity_log")), "{left:#?}");

    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, first);
    Ok(())
}

#[test]
fn each_migration_undoes_what_it_did() -> TestResult {
    let mut conn = empty_database()?;
    let mut steps = Vec::new();
    while conn.has_pending_migration(MIGRATIONS)? {
        steps.push(description(&mut conn)?);
        conn.run_next_migration(MIGRATIONS)?;
    }
    while let Some(before) = steps.pop() {
        conn.revert_last_migration(MIGRATIONS)?;
        assert_eq!(description(&mut conn)?, before);
    }
    Ok(())
}

#[test]
fn diesels_harness_creates_the_same_schema() -> TestResult {
    let mut conn = empty_database()?;
    conn.run_pending_migrations(MIGRATIONS)?;
    assert_eq!(description(&mut conn)?, description(&mut empty_log()?)?);
    assert_eq!(check(&mut conn)?, []);

    run_migrations(&mut conn)?;
    assert!(!conn.has_pending_migration(MIGRATIONS)?);
    assert_eq!(description(&mut conn)?, description(&mut empty_log()?)?);
    Ok(())
}

#[test]
fn diesels_harness_finds_nothing_pending_after_a_start() -> TestResult {
    let mut conn = empty_log()?;
    assert!(!conn.has_pending_migration(MIGRATIONS)?);
    Ok(())
}

#[test]
fn running_twice_changes_nothing() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let first = description(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, first);
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 3]);
    Ok(())
}

#[test]
fn the_log_coexists_with_the_hosts_migrations_whichever_run_first() -> TestResult {
    let mut host_first = empty_database()?;
    host_first.run_pending_migrations(HOST_MIGRATIONS)?;
    run_migrations(&mut host_first)?;

    let mut log_first = empty_log()?;
    log_first.run_pending_migrations(HOST_MIGRATIONS)?;

    for conn in [&mut host_first, &mut log_first] {
        record_numbered(conn, 2)?;
        conn.batch_execute("INSERT INTO devices (id, name) VALUES (1, 'Lamp')")?;
        assert!(!conn.has_pending_migration(MIGRATIONS)?);
        assert!(!conn.has_pending_migration(HOST_MIGRATIONS)?);
    }
    assert_eq!(description(&mut host_first)?, description(&mut log_first)?);
    Ok(())
}

#[test]
fn a_host_can_still_revert_its_last_migration() -> TestResult {
    let mut conn = empty_database()?;
    conn.run_pending_migrations(HOST_MIGRATIONS)?;
    run_migrations(&mut conn)?;
    record_numbered(&mut conn, 2)?;

    conn.revert_last_migration(HOST_MIGRATIONS)?;
    let left = description(&mut conn)?;
    assert!(!left.iter().any(|line| line.contains("devices")), "{left:#?}");
    assert_eq!(stored_seqs(&mut conn)?, [1, 2]);

    conn.run_pending_migrations(HOST_MIGRATIONS)?;
    conn.batch_execute("INSERT INTO devices (id, name) VALUES (1, 'Lamp')")?;
    Ok(())
}

#[test]
fn eight_servers_start_on_one_fresh_schema_at_once_whatever_their_isolation_level() -> TestResult {
    for isolation in ["read committed", "repeatable read", "serializable"] {
        for round in 0..5 {
            let log = SharedLog::without_table()?;
            let barrier = Barrier::new(8);
            let start = |number: i64| -> TestResult {
                let conn = log.connect();
                barrier.wait();
                let mut conn = conn?;
                conn.batch_execute(&format!("SET default_transaction_isolation = '{isolation}'"))?;
                run_migrations(&mut conn)?;
                ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
                Ok(())
            };
            thread::scope(|scope| -> TestResult {
                let servers = (0..8).map(|number| scope.spawn(move || start(number))).collect::<Vec<_>>();
                servers.into_iter().try_for_each(|server| server.join().map_err(|_| "a thread panicked")?)
            })
            .map_err(|error| format!("{isolation}, round {round}: {error}"))?;
            assert_eq!(stored_seqs(&mut log.connect()?)?, [1, 2, 3, 4, 5, 6, 7, 8]);
        }
    }
    Ok(())
}

/// The snapshot is what makes a start-up cheap. If this fails, write what it prints into the file.
#[test]
fn the_snapshot_is_what_the_migrations_create() -> TestResult {
    let mut conn = empty_database()?;
    conn.run_pending_migrations(MIGRATIONS)?;
    let described = include_str!("../../src/postgres/catalog/objects.sql");
    let query = format!(
        "WITH described (kind, name, definition, is_valid) AS (WITH log AS (SELECT to_regclass('activity_log' {described}) \
         SELECT concat_ws(chr(9), kind, name, definition) AS line FROM described ORDER BY kind, name"
    );
    let created = lines(&mut conn, &query)?;
    let snapshot = include_str!("../../src/postgres/catalog/snapshot.tsv").lines().collect::<Vec<_>>();
    assert_eq!(snapshot, created, "\n{}", created.join("\n"));
    Ok(())
}
