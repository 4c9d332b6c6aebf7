//! Start-up trusts nothing: it puts back what is missing of the log, and `check` reports it.

use activity_log::postgres::{ActivityLogRepository, MIGRATIONS, check, distribute, run_migrations, undistribute};
use activity_log::{Error, Problem};
use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;

use crate::catalog::{description, different, lines, missing};
use crate::database::{Connection, SharedLog, empty_database, empty_log, stored_seqs};
use crate::support::{TestResult, numbered, record_numbered};

fn index_names(conn: &mut Connection) -> TestResult<Vec<String>> {
    let names = "SELECT relname::text AS line FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
         WHERE indrelid = 'activity_log'::regclass AND NOT indisprimary ORDER BY relname";
    lines(conn, names)
}

#[test]
fn every_index_that_is_dropped_by_hand_is_reported_and_put_back() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let whole = description(&mut conn)?;
    let names = index_names(&mut conn)?;
    assert_eq!(names.len(), 12);
    for name in names {
        conn.batch_execute(&format!("DROP INDEX {name}"))?;
        assert_eq!(check(&mut conn)?, [missing("index", &name)]);
        run_migrations(&mut conn)?;
        assert_eq!(description(&mut conn)?, whole, "{name}");
        assert_eq!(check(&mut conn)?, []);
    }
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 3]);
    Ok(())
}

#[test]
fn constraints_that_are_dropped_by_hand_are_reported_and_put_back() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let whole = description(&mut conn)?;
    for name in ["activity_log_pkey", "activity_log_severity"] {
        conn.batch_execute(&format!("ALTER TABLE activity_log DROP CONSTRAINT {name}"))?;
        let problems = check(&mut conn)?;
        assert!(problems.contains(&missing("constraint", name)), "{problems:?}");
        run_migrations(&mut conn)?;
        // A primary key leaves its column NOT NULL.
        assert_eq!(description(&mut conn)?, whole, "{name}");
    }
    Ok(())
}

#[test]
fn rows_that_violate_the_constraint_stay_and_new_ones_are_refused() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1)?;
    conn.batch_execute(
        "ALTER TABLE activity_log DROP CONSTRAINT activity_log_severity; UPDATE activity_log SET severity = 'fatal'",
    )?;
    for _ in 0..2 {
        run_migrations(&mut conn)?;
        assert_eq!(stored_seqs(&mut conn)?, [1]);
        assert_eq!(check(&mut conn)?, [different("constraint", "activity_log_severity")]);
        let insert = "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
             VALUES ('x', now(), 'a', 'b', 'fatal', 'c', 'd')";
        assert!(conn.batch_execute(insert).is_err());
    }
    Ok(())
}

#[test]
fn an_index_of_another_definition_is_replaced() -> TestResult {
    let mut conn = empty_log()?;
    let whole = description(&mut conn)?;
    conn.batch_execute("DROP INDEX activity_log_actor; CREATE INDEX activity_log_actor ON activity_log (actor)")?;
    assert_eq!(check(&mut conn)?, [different("index", "activity_log_actor")]);
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, whole);
    Ok(())
}

#[test]
fn an_index_with_a_fill_factor_of_the_operators_stays() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER INDEX activity_log_alarm SET (fillfactor = 70)")?;
    let chosen = description(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, chosen);
    Ok(())
}

#[test]
fn an_index_that_was_not_built_to_the_end_is_reported_and_built_again() -> TestResult {
    let mut conn = empty_log()?;
    let whole = description(&mut conn)?;
    // As after a failed CREATE INDEX CONCURRENTLY.
    conn.batch_execute("UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'activity_log_kind'::regclass")?;
    assert_eq!(check(&mut conn)?, [Problem::InvalidIndex { name: "activity_log_kind".to_owned() }]);
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, whole);
    Ok(())
}

#[test]
fn a_start_leaves_alone_an_index_that_is_being_built() -> TestResult {
    let log = SharedLog::create()?;
    let (mut conn, mut builder) = (log.connect()?, log.connect()?);
    conn.batch_execute(
        "SET lock_timeout = '2s'; UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'activity_log_kind'::regclass",
    )?;
    // What CREATE INDEX CONCURRENTLY holds.
    builder.batch_execute("BEGIN; LOCK TABLE activity_log IN SHARE UPDATE EXCLUSIVE MODE")?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, [Problem::InvalidIndex { name: "activity_log_kind".to_owned() }]);
    Ok(())
}

#[test]
fn a_log_that_was_dropped_by_hand_is_created_again() -> TestResult {
    let mut conn = empty_log()?;
    let whole = description(&mut conn)?;
    conn.batch_execute("DROP TABLE activity_log")?;
    assert_eq!(check(&mut conn)?, [missing("table", "activity_log")]);
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, whole);
    Ok(())
}

#[test]
fn a_log_without_diesels_table_of_versions_keeps_its_entries() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2)?;
    let whole = description(&mut conn)?;
    conn.batch_execute("DROP TABLE __diesel_schema_migrations; DROP INDEX activity_log_actor")?;
    let problems = check(&mut conn)?;
    assert!(matches!(problems.as_slice(), [Problem::PendingMigration { .. }, Problem::PendingMigration { .. }]));
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, whole);
    assert_eq!(stored_seqs(&mut conn)?, [1, 2]);
    Ok(())
}

#[test]
fn a_database_of_a_newer_version_is_left_as_it_is() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('0000activitylog9999'); DROP INDEX activity_log_actor",
    )?;
    let before = description(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, before);
    assert_eq!(check(&mut conn)?, [Problem::NewerDatabase, missing("index", "activity_log_actor")]);
    Ok(())
}

#[test]
fn pending_migrations_are_reported_and_nothing_is_created() -> TestResult {
    let mut conn = empty_database()?;
    let problems = check(&mut conn)?;
    assert_eq!(problems.len(), 2);
    assert_eq!(problems.first(), Some(&Problem::PendingMigration { version: "0000activitylog0001".to_owned() }));
    assert_eq!(description(&mut conn)?, [""; 0]);
    Ok(())
}

#[test]
fn a_column_that_others_changed_is_reported() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "ALTER TABLE activity_log ALTER actor DROP NOT NULL, ALTER metadata DROP DEFAULT, ADD host int",
    )?;
    assert_eq!(check(&mut conn)?, [different("column", "actor"), different("column", "metadata")]);
    run_migrations(&mut conn)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).record(&numbered(1))?, 1);
    Ok(())
}

#[test]
fn a_sequence_that_caches_numbers_is_reported() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER SEQUENCE activity_log_seq_seq CACHE 20")?;
    let problems = check(&mut conn)?;
    assert_eq!(problems, [Problem::SequenceCache { cache: 20 }]);
    let text = problems.first().map(ToString::to_string).unwrap_or_default();
    assert!(text.contains("followers miss entries"), "{text}");
    Ok(())
}

#[test]
fn a_sequence_behind_the_newest_entry_is_reported() -> TestResult {
    let mut conn = empty_log()?;
    let restored = "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
         VALUES (7, 'x', now(), 'a', 'b', 'info', 'c', 'd')";
    conn.batch_execute(restored)?;
    assert_eq!(check(&mut conn)?, [Problem::SequenceBehind { last_seq: None, newest_seq: 7 }]);
    record_numbered(&mut conn, 3)?;
    assert_eq!(check(&mut conn)?, [Problem::SequenceBehind { last_seq: Some(3), newest_seq: 7 }]);
    conn.batch_execute("SELECT setval('activity_log_seq_seq', 7)")?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn a_log_that_takes_its_numbers_from_elsewhere_is_reported() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER TABLE activity_log ALTER seq DROP DEFAULT; DROP SEQUENCE activity_log_seq_seq")?;
    assert_eq!(check(&mut conn)?, [different("column", "seq"), missing("sequence", "activity_log_seq_seq")]);
    Ok(())
}

#[test]
fn a_host_that_reverts_the_log_can_run_it_again() -> TestResult {
    let mut conn = empty_log()?;
    conn.revert_last_migration(MIGRATIONS)?;
    assert!(index_names(&mut conn)?.iter().all(|name| name == "activity_log_seq"));
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn distributing_a_log_without_the_extension_is_refused_by_name() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let refused = distribute(&mut conn);
    assert!(matches!(&refused, Err(Error::CannotCreate { reason, .. }) if reason.contains("citus")), "{refused:?}");
    undistribute(&mut conn)?;
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 3]);
    Ok(())
}
