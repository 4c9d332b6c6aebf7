//! Start-up finds the log by its name in the search path, and touches nothing else that has a name of the log's.

use activity_log::Error;
use activity_log::postgres::{ActivityLogRepository, check, run_migrations};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;

use crate::catalog::{description, lines, missing};
use crate::database::{Connection, empty_database, empty_log};
use crate::support::{TestResult, numbered};

/// A second schema, in front of the one with the log.
fn put_schema_in_front(conn: &mut Connection) -> TestResult {
    let path = "DO $$ BEGIN EXECUTE format('CREATE SCHEMA %I', current_schema() || '_front'); \
         PERFORM set_config('search_path', current_schema() || '_front, ' || current_schema(), false); END $$";
    Ok(conn.batch_execute(path)?)
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
