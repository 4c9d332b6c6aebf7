//! The rollups are added and removed, and what is in their way is said.

use activity_log::postgres::{MIGRATIONS, check, disable_rollups, enable_rollups, run_migrations, summarize};
use activity_log::{ActivityLogFilters, Error};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;

use crate::catalog::{Role, description, different, missing};
use crate::database::{ActivityLogRepository, Connection, SharedLog, empty_database, empty_log};
use crate::rollups::{BLOCK, assert_agrees_here_and_there, insert, log_with_rollups, settled_blocks};
use crate::support::{TestResult, record_numbered};

#[test]
fn enabling_rollups_twice_changes_nothing_and_starting_leaves_them_alone() -> TestResult {
    let mut conn = log_with_rollups(2 * BLOCK + 3_000)?;
    let before = description(&mut conn)?;
    enable_rollups(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(description(&mut conn)?, before);
    assert_eq!(check(&mut conn)?, []);
    assert_eq!(settled_blocks(&mut conn)?, 2);
    Ok(())
}

#[test]
fn disabling_rollups_restores_the_schema() -> TestResult {
    let mut conn = empty_log()?;
    let before = description(&mut conn)?;
    enable_rollups(&mut conn)?;
    assert_ne!(description(&mut conn)?, before);
    disable_rollups(&mut conn)?;
    assert_eq!(description(&mut conn)?, before);
    disable_rollups(&mut conn)?;
    summarize(&mut conn)?;
    record_numbered(&mut conn, 3)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&ActivityLogFilters::default())?, 3);
    Ok(())
}

#[test]
fn reverting_the_migrations_drops_the_rollups_with_the_table() -> TestResult {
    let mut conn = log_with_rollups(10)?;
    conn.revert_all_migrations(MIGRATIONS)?;
    let left = description(&mut conn)?;
    assert!(left.iter().all(|line| !line.contains("activity_log")), "{left:#?}");
    run_migrations(&mut conn)?;
    enable_rollups(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn reverting_the_migrations_leaves_the_rollups_of_another_log_in_the_search_path() -> TestResult {
    let mut conn = log_with_rollups(10)?;
    let others = description(&mut conn)?;
    conn.batch_execute(
        "DO $$ DECLARE own text := current_schema(); BEGIN \
            EXECUTE format('CREATE SCHEMA %I', own || '_first'); \
            PERFORM set_config('search_path', own || '_first', FALSE); \
         END $$",
    )?;
    run_migrations(&mut conn)?;
    conn.batch_execute(
        "SELECT set_config('search_path', current_schema() || ', ' || replace(current_schema(), '_first', ''), FALSE)",
    )?;
    conn.revert_all_migrations(MIGRATIONS)?;
    conn.batch_execute("SELECT set_config('search_path', replace(current_schema(), '_first', ''), FALSE)")?;
    assert_eq!(description(&mut conn)?, others);
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn several_connections_may_enable_rollups_at_once() -> TestResult {
    let log = SharedLog::create()?;
    insert(&mut log.connect()?, &format!("generate_series(1, {})", 2 * BLOCK + 3_000), "", "")?;
    std::thread::scope(|scope| -> TestResult {
        let starters = (0..4).map(|_| scope.spawn(|| Ok(enable_rollups(&mut log.connect()?)?))).collect::<Vec<_>>();
        starters.into_iter().try_for_each(|starter| starter.join().map_err(|_| "a thread panicked")?)
    })?;
    let mut conn = log.connect()?;
    assert_eq!(settled_blocks(&mut conn)?, 2);
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn enabling_rollups_in_a_transaction_is_part_of_the_transaction() -> TestResult {
    let mut conn = empty_log()?;
    let before = description(&mut conn)?;
    let rolled_back = conn.transaction::<(), Error, _>(|conn| {
        enable_rollups(conn)?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(description(&mut conn)?, before);
    Ok(())
}

#[test]
fn damage_is_reported_and_not_counted_by_and_mended() -> TestResult {
    let mut conn = log_with_rollups(2 * BLOCK + 3_000)?;
    let whole = description(&mut conn)?;
    for (damage, problem) in [
        ("DROP TRIGGER activity_log_rollup_update ON activity_log", missing("trigger", "activity_log_rollup_update")),
        ("DROP TABLE activity_log_rollups", missing("table", "activity_log_rollups")),
        ("DROP TABLE activity_log_rollup_marks", missing("table", "activity_log_rollup_marks")),
        (
            "ALTER TABLE activity_log DISABLE TRIGGER activity_log_rollup_delete",
            different("trigger", "activity_log_rollup_delete"),
        ),
        (
            "CREATE OR REPLACE FUNCTION activity_log_rollup_mark() RETURNS trigger LANGUAGE plpgsql \
                AS 'BEGIN RETURN NULL; END'",
            different("function", "activity_log_rollup_mark"),
        ),
    ] {
        conn.batch_execute(damage)?;
        assert_eq!(check(&mut conn)?, [problem], "{damage}");
        if !damage.contains("FUNCTION") {
            conn.batch_execute("DELETE FROM activity_log WHERE seq % 1000 = 7")?;
            conn.batch_execute("UPDATE activity_log SET category = 'auth' WHERE seq % 1000 = 8")?;
        }
        summarize(&mut conn).ok();
        assert_agrees_here_and_there(&mut conn)?;
        enable_rollups(&mut conn)?;
        assert_eq!(check(&mut conn)?, [], "{damage}");
        assert_eq!(description(&mut conn)?, whole, "{damage}");
        assert_eq!(settled_blocks(&mut conn)?, 2, "{damage}");
        assert_agrees_here_and_there(&mut conn)?;
    }
    Ok(())
}

#[test]
fn a_table_of_the_hosts_that_has_a_name_of_the_rollups_is_refused_and_stays() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("CREATE TABLE activity_log_rollups (x int)")?;
    let before = description(&mut conn)?;
    for outcome in [enable_rollups(&mut conn), disable_rollups(&mut conn)] {
        assert!(matches!(&outcome, Err(Error::NameTaken { kind, .. }) if kind == "table"), "{outcome:?}");
    }
    assert_eq!(description(&mut conn)?, before);
    Ok(())
}

#[test]
fn what_is_in_the_way_of_rollups_is_said() -> TestResult {
    let mut conn = empty_database()?;
    let refused = |conn: &mut Connection| match enable_rollups(conn) {
        Err(Error::CannotCreate { reason, .. }) => Ok::<_, Box<dyn std::error::Error + Send + Sync>>(reason),
        outcome => Err(format!("{outcome:?}").into()),
    };
    assert!(refused(&mut conn)?.contains("run the migrations first"));
    run_migrations(&mut conn)?;
    let role = Role::create(&mut conn)?;
    conn.batch_execute(&format!("SET ROLE {}", role.0))?;
    assert!(refused(&mut conn)?.contains("grant it CREATE"));
    conn.batch_execute("RESET ROLE; CREATE TABLE heir () INHERITS (activity_log)")?;
    assert!(refused(&mut conn)?.contains("inherited"));
    conn.batch_execute("DROP TABLE heir; SET default_transaction_read_only = on")?;
    assert!(refused(&mut conn)?.contains("read-only"));
    Ok(())
}
