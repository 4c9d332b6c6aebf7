//! Start-up trusts nothing: it puts back what is missing of the log, and touches nothing of the host's.

use activity_log::postgres::{ActivityLogRepository, MIGRATIONS, check, run_migrations};
use activity_log::{Error, NewActivityLogEntry, Problem};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;

use crate::catalog::{Role, description, lines};
use crate::database::{Connection, SharedLog, connect, empty_database, empty_log, server, stored_seqs};
use crate::support::{TestResult, numbered, record_numbered};

fn index_names(conn: &mut Connection) -> TestResult<Vec<String>> {
    let names = "SELECT relname::text AS line FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
         WHERE indrelid = 'activity_log'::regclass AND NOT indisprimary ORDER BY relname";
    lines(conn, names)
}

fn missing(kind: &str, name: &str) -> Problem {
    Problem::Missing { kind: kind.to_owned(), name: name.to_owned() }
}

fn different(kind: &str, name: &str) -> Problem {
    Problem::Different { kind: kind.to_owned(), name: name.to_owned() }
}

/// Whether the connection's transaction has changed anything.
fn has_written(conn: &mut Connection) -> TestResult<bool> {
    Ok(!lines(
        conn,
        "SELECT pg_current_xact_id_if_assigned()::text AS line WHERE pg_current_xact_id_if_assigned() IS NOT NULL",
    )?
    .is_empty())
}

#[test]
fn every_index_that_is_dropped_by_hand_is_reported_and_put_back() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let whole = description(&mut conn)?;
    let names = index_names(&mut conn)?;
    assert_eq!(names.len(), 8);
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
fn names_that_belong_to_another_table_are_refused_with_both_names() -> TestResult {
    let cases = [
        (
            "CREATE TABLE theirs (x int); CREATE INDEX activity_log_actor ON theirs (x)",
            "index",
            "activity_log_actor",
            "theirs",
        ),
        (
            "CREATE TABLE theirs (x int); CREATE UNIQUE INDEX activity_log_time ON theirs (x)",
            "index",
            "activity_log_time",
            "theirs",
        ),
        (
            "CREATE TABLE theirs (x int CONSTRAINT activity_log_pkey PRIMARY KEY)",
            "index",
            "activity_log_pkey",
            "theirs",
        ),
        ("CREATE TABLE activity_log_kind (x int)", "table", "activity_log_kind", "activity_log_kind"),
        ("CREATE VIEW activity_log_entity AS SELECT 1", "view", "activity_log_entity", "activity_log_entity"),
        ("CREATE SEQUENCE activity_log_seq", "sequence", "activity_log_seq", "activity_log_seq"),
        (
            "CREATE TABLE theirs (x int); CREATE SEQUENCE activity_log_seq_seq OWNED BY theirs.x",
            "sequence",
            "activity_log_seq_seq",
            "theirs",
        ),
    ];
    for (theirs, expected_kind, expected_name, expected_table) in cases {
        let mut conn = empty_database()?;
        conn.batch_execute(theirs)?;
        let before = description(&mut conn)?;
        for outcome in [run_migrations(&mut conn), check(&mut conn).map(|_| ())] {
            let Err(Error::NameTaken { kind, name, table, needed_for }) = outcome else {
                return Err(format!("{theirs}: {outcome:?}").into());
            };
            assert_eq!((kind.as_str(), name.as_str(), table.as_str()), (expected_kind, expected_name, expected_table));
            assert_eq!(needed_for, "activity_log");
        }
        assert_eq!(description(&mut conn)?, before, "{theirs}");
    }
    Ok(())
}

#[test]
fn a_former_log_that_was_renamed_keeps_its_indexes() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER TABLE activity_log RENAME TO former_log")?;
    let before = description(&mut conn)?;
    let refused = run_migrations(&mut conn);
    assert!(matches!(&refused, Err(Error::NameTaken { table, .. }) if table == "former_log"), "{refused:?}");
    assert_eq!(description(&mut conn)?, before);
    Ok(())
}

#[test]
fn the_hosts_unique_index_of_one_of_our_names_on_another_table_stays() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "DROP INDEX activity_log_actor; CREATE TABLE theirs (x int); \
         CREATE UNIQUE INDEX activity_log_actor ON theirs (x)",
    )?;
    let before = description(&mut conn)?;
    let refused = run_migrations(&mut conn);
    assert!(matches!(&refused, Err(Error::NameTaken { table, .. }) if table == "theirs"), "{refused:?}");
    assert_eq!(description(&mut conn)?, before);
    Ok(())
}

#[test]
fn what_is_no_log_is_refused_and_stays() -> TestResult {
    let cases = [
        (
            "CREATE TABLE activity_log (id text PRIMARY KEY, ts timestamptz)",
            "it lacks `action`, `actor`, `category`, \
            `entity_id`, `entity_name`, `entity_type`, `message`, `metadata`, `seq`, `severity`",
        ),
        ("CREATE VIEW activity_log AS SELECT 1 AS seq", "it is a view"),
        ("CREATE MATERIALIZED VIEW activity_log AS SELECT 1 AS seq", "it is a materialized view"),
        ("CREATE SEQUENCE activity_log", "it is a sequence"),
    ];
    for (theirs, expected) in cases {
        let mut conn = empty_database()?;
        conn.batch_execute(theirs)?;
        let before = description(&mut conn)?;
        for outcome in [run_migrations(&mut conn), check(&mut conn).map(|_| ())] {
            let Err(Error::ForeignTable { reason }) = outcome else {
                return Err(format!("{theirs}: {outcome:?}").into());
            };
            assert_eq!(reason, expected);
        }
        assert_eq!(description(&mut conn)?, before, "{theirs}");
    }
    Ok(())
}

#[test]
fn a_log_with_a_column_of_another_type_is_refused() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER TABLE activity_log ALTER ts TYPE timestamp")?;
    let refused = run_migrations(&mut conn).map_err(|error| error.to_string());
    let reason = "its `ts` has the type timestamp without time zone and not timestamp with time zone";
    assert!(refused.as_ref().is_err_and(|text| text.contains(reason)), "{refused:?}");
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
fn a_start_with_nothing_to_do_writes_nothing_and_takes_no_lock() -> TestResult {
    let log = SharedLog::create()?;
    let (mut conn, mut other) = (log.connect()?, log.connect()?);
    other.batch_execute("BEGIN; LOCK TABLE activity_log, __diesel_schema_migrations IN EXCLUSIVE MODE")?;
    conn.transaction(|conn| -> TestResult {
        conn.batch_execute("SET LOCAL lock_timeout = '1s'")?;
        run_migrations(conn)?;
        assert_eq!(check(conn)?, []);
        assert!(!has_written(conn)?);
        Ok(())
    })
}

#[test]
fn a_read_only_connection_starts_if_nothing_is_pending() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("SET default_transaction_read_only = on")?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn a_read_only_connection_says_what_is_missing_and_leaves_it() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("DROP INDEX activity_log_actor; SET default_transaction_read_only = on")?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, [missing("index", "activity_log_actor")]);
    Ok(())
}

#[test]
fn a_read_only_connection_is_refused_while_migrations_are_pending() -> TestResult {
    let mut conn = empty_database()?;
    conn.batch_execute("SET default_transaction_read_only = on")?;
    let refused = run_migrations(&mut conn);
    assert!(matches!(&refused, Err(Error::CannotCreate { reason, .. }) if reason.contains("read-only")), "{refused:?}");
    Ok(())
}

#[test]
fn a_role_that_may_only_use_the_log_starts_and_checks_it() -> TestResult {
    let mut conn = empty_log()?;
    let role = Role::create(&mut conn)?;
    conn.batch_execute(&format!("SET ROLE {}", role.0))?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    ActivityLogRepository::new(&mut conn).record(&NewActivityLogEntry::new("system", "a", "b", "c"))?;
    Ok(())
}

#[test]
fn a_role_that_may_create_nothing_is_refused_with_what_it_needs() -> TestResult {
    let mut conn = empty_database()?;
    let role = Role::create(&mut conn)?;
    conn.batch_execute(&format!("SET ROLE {}", role.0))?;
    let refused = run_migrations(&mut conn);
    let names_both = |reason: &String| reason.contains(&role.0) && reason.contains("grant it CREATE");
    assert!(matches!(&refused, Err(Error::CannotCreate { reason, .. }) if names_both(reason)), "{refused:?}");
    Ok(())
}

#[test]
fn a_role_that_does_not_own_the_log_is_told_to_leave_missing_indexes_to_the_owner() -> TestResult {
    let mut conn = empty_log()?;
    let role = Role::create(&mut conn)?;
    conn.batch_execute(&format!(
        "DROP INDEX activity_log_actor; DO $$ BEGIN EXECUTE format('GRANT CREATE ON SCHEMA %I TO {0}', current_schema()); \
         END $$; SET ROLE {0}",
        role.0
    ))?;
    let refused = run_migrations(&mut conn);
    assert!(matches!(&refused, Err(Error::CannotCreate { reason, .. }) if reason.contains("own")), "{refused:?}");
    assert_eq!(check(&mut conn)?, [missing("index", "activity_log_actor")]);
    Ok(())
}

#[test]
fn a_search_path_without_a_schema_is_refused() -> TestResult {
    let mut conn = empty_database()?;
    for path in ["nowhere", "''"] {
        conn.batch_execute(&format!("SET search_path = {path}"))?;
        let refused = run_migrations(&mut conn);
        assert!(
            matches!(&refused, Err(Error::CannotCreate { reason, .. }) if reason.contains("search_path")),
            "{refused:?}"
        );
    }
    Ok(())
}

#[test]
fn the_schema_may_have_any_name() -> TestResult {
    let mut conn = empty_database()?;
    for name in ["Ünser \"Log\"; '", " USING x", "select", "a.b"] {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        conn.transaction(|conn| -> TestResult {
            conn.batch_execute(&format!("CREATE SCHEMA {quoted}; SET LOCAL search_path = {quoted}"))?;
            run_migrations(conn)?;
            assert_eq!(check(conn)?, []);
            conn.batch_execute("DROP INDEX activity_log_actor")?;
            assert_eq!(check(conn)?, [missing("index", "activity_log_actor")]);
            run_migrations(conn)?;
            assert_eq!(check(conn)?, []);
            assert_eq!(ActivityLogRepository::new(conn).record(&numbered(1))?, 1);
            Ok(conn.batch_execute(&format!("DROP SCHEMA {quoted} CASCADE"))?)
        })?;
    }
    Ok(())
}

/// A second schema, in front of the one with the log.
fn put_schema_in_front(conn: &mut Connection) -> TestResult {
    let path = "DO $$ BEGIN EXECUTE format('CREATE SCHEMA %I', current_schema() || '_front'); \
         PERFORM set_config('search_path', current_schema() || '_front, ' || current_schema(), false); END $$";
    Ok(conn.batch_execute(path)?)
}

#[test]
fn a_log_in_a_later_schema_of_the_search_path_is_the_log() -> TestResult {
    let mut conn = empty_log()?;
    put_schema_in_front(&mut conn)?;
    conn.batch_execute("DROP INDEX activity_log_actor")?;
    let path = lines(&mut conn, "SELECT current_setting('search_path') AS line")?;
    assert_eq!(check(&mut conn)?, [missing("index", "activity_log_actor")]);
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    assert_eq!(description(&mut conn)?, [""; 0], "the first schema");
    assert_eq!(lines(&mut conn, "SELECT current_setting('search_path') AS line")?, path);
    Ok(())
}

#[test]
fn a_table_of_another_shape_in_a_later_schema_is_not_in_the_way() -> TestResult {
    let mut conn = empty_database()?;
    conn.batch_execute("CREATE TABLE activity_log (x int)")?;
    put_schema_in_front(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn a_start_within_the_hosts_transaction_is_part_of_it() -> TestResult {
    for (begin, is_text) in [("", false), ("BEGIN", true)] {
        let mut conn = empty_database()?;
        let start = |conn: &mut Connection| -> TestResult {
            conn.batch_execute("CREATE TABLE theirs (x int)")?;
            run_migrations(conn)?;
            assert_eq!(ActivityLogRepository::new(conn).record(&numbered(1))?, 1);
            Ok(())
        };
        if is_text {
            conn.batch_execute(begin)?;
            start(&mut conn)?;
            conn.batch_execute("ROLLBACK")?;
        } else {
            let rolled_back = conn.transaction(|conn| -> TestResult { start(conn).and(Err("rolled back".into())) });
            assert!(rolled_back.is_err_and(|error| error.to_string() == "rolled back"));
        }
        assert_eq!(description(&mut conn)?, [""; 0], "{begin}");
    }
    Ok(())
}

#[test]
fn a_refused_start_leaves_the_hosts_transaction_usable() -> TestResult {
    let mut conn = empty_database()?;
    conn.transaction(|conn| -> TestResult {
        conn.batch_execute("CREATE TABLE activity_log_actor (x int); SAVEPOINT theirs")?;
        assert!(run_migrations(conn).is_err());
        conn.batch_execute("INSERT INTO activity_log_actor VALUES (1)")?;
        Ok(())
    })?;
    assert_eq!(lines(&mut conn, "SELECT x::text AS line FROM activity_log_actor")?, ["1"]);
    Ok(())
}

#[test]
fn a_start_that_waits_too_long_for_a_lock_is_busy() -> TestResult {
    let log = SharedLog::create()?;
    let (mut conn, mut other) = (log.connect()?, log.connect()?);
    conn.batch_execute("DROP INDEX activity_log_actor; SET lock_timeout = '50ms'")?;
    other.batch_execute("BEGIN; LOCK TABLE activity_log IN ROW EXCLUSIVE MODE")?;
    let refused = run_migrations(&mut conn);
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    Ok(())
}

#[test]
fn a_role_without_temporary_tables_creates_the_log_and_puts_back_what_is_missing() -> TestResult {
    let name = format!("t_{}_no_temporary_tables", std::process::id());
    let mut main = connect(&server())?;
    main.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let attempt = || -> TestResult {
        let role = format!("role_of_{name}");
        let mut conn = connect(&format!("{}{name}", server().trim_end_matches("postgres")))?;
        conn.batch_execute(&format!(
            "CREATE ROLE {role}; REVOKE ALL ON DATABASE {name} FROM PUBLIC; CREATE SCHEMA own AUTHORIZATION {role}; \
             SET search_path = own; SET ROLE {role}"
        ))?;
        run_migrations(&mut conn)?;
        let whole = description(&mut conn)?;
        conn.batch_execute("DROP INDEX activity_log_actor")?;
        run_migrations(&mut conn)?;
        assert_eq!(description(&mut conn)?, whole);
        assert_eq!(check(&mut conn)?, []);
        conn.batch_execute(&format!("RESET ROLE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))?;
        Ok(())
    };
    let outcome = attempt();
    main.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))?;
    outcome
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
