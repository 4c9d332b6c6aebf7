//! Start-up needs no more rights than what it has to do, and fits into the host's transactions.

use activity_log::postgres::{ActivityLogRepository, check, run_migrations};
use activity_log::{Error, NewActivityLogEntry};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;

use crate::catalog::{Role, description, lines, missing};
use crate::database::{Connection, SharedLog, connect, empty_database, empty_log};
use crate::server::server;
use crate::support::{TestResult, numbered};

/// Whether the connection's transaction has changed anything.
fn has_written(conn: &mut Connection) -> TestResult<bool> {
    Ok(!lines(
        conn,
        "SELECT pg_current_xact_id_if_assigned()::text AS line WHERE pg_current_xact_id_if_assigned() IS NOT NULL",
    )?
    .is_empty())
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
