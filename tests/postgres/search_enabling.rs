//! The search index is added and removed, and what is in its way is said.

use activity_log::postgres::{MIGRATIONS, check, disable_search, enable_search, run_migrations};
use activity_log::{Error, Problem};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;

use crate::catalog::{Role, description};
use crate::database::{Connection, SharedLog, connect, empty_database, empty_log};
use crate::search::{containing, found, record, searchable_log, surround};
use crate::server::server;
use crate::support::{TestResult, record_numbered};

#[test]
fn enabling_the_index_twice_changes_nothing() -> TestResult {
    let mut conn = searchable_log()?;
    let before = description(&mut conn)?;
    enable_search(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, before);
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn disabling_the_index_restores_the_schema() -> TestResult {
    let mut conn = empty_log()?;
    let before = description(&mut conn)?;
    enable_search(&mut conn)?;
    assert_ne!(description(&mut conn)?, before);
    disable_search(&mut conn)?;
    assert_eq!(description(&mut conn)?, before);
    disable_search(&mut conn)?;
    record_numbered(&mut conn, 3)?;
    assert_eq!(found(&mut conn, &containing("Tick"))?, [1, 2, 3]);
    Ok(())
}

#[test]
fn enabling_the_index_in_a_transaction_is_part_of_the_transaction() -> TestResult {
    let mut conn = searchable_log()?;
    disable_search(&mut conn)?;
    let before = description(&mut conn)?;
    let rolled_back = conn.transaction::<(), activity_log::Error, _>(|conn| {
        enable_search(conn)?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(description(&mut conn)?, before);
    Ok(())
}

#[test]
fn several_connections_may_enable_the_index_at_once() -> TestResult {
    let log = SharedLog::create()?;
    record_numbered(&mut log.connect()?, 500)?;
    std::thread::scope(|scope| -> TestResult {
        let starters = (0..4).map(|_| scope.spawn(|| Ok(enable_search(&mut log.connect()?)?))).collect::<Vec<_>>();
        starters.into_iter().try_for_each(|starter| starter.join().map_err(|_| "a thread panicked")?)
    })?;
    assert_eq!(found(&mut log.connect()?, &containing("tick 50"))?, [50, 500]);
    Ok(())
}

#[test]
fn an_index_that_was_not_built_to_the_end_is_reported_and_not_used_and_built_again() -> TestResult {
    let mut conn = searchable_log()?;
    let whole = description(&mut conn)?;
    surround(&mut conn)?;
    record(&mut conn, "needle")?;
    conn.batch_execute("UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'activity_log_search'::regclass")?;
    let problems = check(&mut conn)?;
    assert!(problems.contains(&Problem::InvalidIndex { name: "activity_log_search".to_owned() }), "{problems:?}");
    assert_eq!(found(&mut conn, &containing("needle"))?, [1]);
    enable_search(&mut conn)?;
    assert_eq!(description(&mut conn)?, whole);
    Ok(())
}

#[test]
fn an_index_that_an_operator_built_concurrently_is_taken() -> TestResult {
    let mut conn = searchable_log()?;
    let whole = description(&mut conn)?;
    disable_search(&mut conn)?;
    conn.batch_execute(
        "DO $$ BEGIN PERFORM set_config('search_path', current_schema() || ', ' || (SELECT extnamespace::regnamespace::text \
         FROM pg_extension WHERE extname = 'pg_trgm'), false); END $$",
    )?;
    let build = "CREATE INDEX CONCURRENTLY activity_log_search ON activity_log USING gin (lower(message) gin_trgm_ops)";
    conn.batch_execute(build)?;
    let built = description(&mut conn)?;
    enable_search(&mut conn)?;
    assert_eq!(description(&mut conn)?, built);
    assert_eq!(built.len(), whole.len());
    Ok(())
}

#[test]
fn reverting_the_migrations_drops_the_index_with_the_table() -> TestResult {
    let mut conn = searchable_log()?;
    conn.revert_all_migrations(MIGRATIONS)?;
    let left = description(&mut conn)?;
    assert!(left.iter().all(|line| !line.contains("activity_log")), "{left:#?}");
    run_migrations(&mut conn)?;
    enable_search(&mut conn)?;
    record_numbered(&mut conn, 3)?;
    assert_eq!(found(&mut conn, &containing("Tick 3"))?, [3]);
    Ok(())
}

#[test]
fn a_table_of_the_hosts_that_has_the_name_of_the_index_is_refused_and_stays() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("CREATE TABLE activity_log_search (x int)")?;
    let before = description(&mut conn)?;
    for outcome in [enable_search(&mut conn), disable_search(&mut conn)] {
        assert!(matches!(&outcome, Err(Error::NameTaken { kind, .. }) if kind == "table"), "{outcome:?}");
    }
    assert_eq!(description(&mut conn)?, before);
    Ok(())
}

#[test]
fn what_is_in_the_way_of_the_index_is_said() -> TestResult {
    let mut conn = empty_database()?;
    let refused = |conn: &mut Connection| match enable_search(conn) {
        Err(Error::CannotCreate { reason, .. }) => Ok::<_, Box<dyn std::error::Error + Send + Sync>>(reason),
        outcome => Err(format!("{outcome:?}").into()),
    };
    assert!(refused(&mut conn)?.contains("run the migrations first"));
    run_migrations(&mut conn)?;
    let role = Role::create(&mut conn)?;
    conn.batch_execute(&format!("SET ROLE {}", role.0))?;
    assert!(refused(&mut conn)?.contains("grant it CREATE"));
    conn.batch_execute("RESET ROLE; SET default_transaction_read_only = on")?;
    assert!(refused(&mut conn)?.contains("read-only"));
    Ok(())
}

#[test]
fn a_role_that_may_not_create_the_extension_is_told_who_may() -> TestResult {
    let name = format!("t_{}_no_extension", std::process::id());
    let mut main = connect(&server())?;
    main.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let attempt = || -> TestResult {
        let role = format!("role_of_{name}");
        let mut conn = connect(&format!("{}{name}", server().trim_end_matches("postgres")))?;
        conn.batch_execute(&format!(
            "CREATE ROLE {role}; CREATE SCHEMA own AUTHORIZATION {role}; SET search_path = own; SET ROLE {role}"
        ))?;
        run_migrations(&mut conn)?;
        let refused = enable_search(&mut conn);
        let says_it = |reason: &String| reason.contains("CREATE EXTENSION pg_trgm");
        assert!(matches!(&refused, Err(Error::CannotCreate { reason, .. }) if says_it(reason)), "{refused:?}");
        conn.batch_execute(&format!("RESET ROLE; GRANT CREATE ON DATABASE {name} TO {role}; SET ROLE {role}"))?;
        enable_search(&mut conn)?;
        conn.batch_execute(&format!("RESET ROLE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))?;
        Ok(())
    };
    let outcome = attempt();
    main.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))?;
    outcome
}
