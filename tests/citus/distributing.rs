//! A log is distributed and made a table of one server again, and loses nothing either way.

use activity_log::postgres::{check, distribute, enable_rollups, run_migrations, undistribute};
use activity_log::{ActivityLogEntry, Error, Problem};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::database::{ActivityLogRepository, Connection, SharedLog, empty_database, refusing_trigger};
use crate::support::{TestResult, everything, numbered, record_numbered};

/// A log on the coordinator, with this many entries.
fn local_log(entries: i64) -> TestResult<Connection> {
    let mut conn = empty_database()?;
    run_migrations(&mut conn)?;
    record_numbered(&mut conn, entries)?;
    Ok(conn)
}

fn entries(conn: &mut Connection) -> TestResult<Vec<ActivityLogEntry>> {
    let mut log = ActivityLogRepository::new(conn);
    Ok(log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?)
}

fn shards(conn: &mut Connection) -> TestResult<i64> {
    let shards = "SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = 'activity_log'::regclass";
    Ok(diesel::select(diesel::dsl::sql::<BigInt>(&format!("({shards})"))).get_result(conn)?)
}

#[test]
fn a_log_that_is_distributed_keeps_its_entries_and_goes_on() -> TestResult {
    let mut conn = local_log(1_000)?;
    let before = entries(&mut conn)?;
    distribute(&mut conn)?;
    assert!(shards(&mut conn)? > 1);
    assert_eq!(entries(&mut conn)?, before);
    assert_eq!(ActivityLogRepository::new(&mut conn).record(&numbered(1_001))?, 1_001);
    Ok(())
}

#[test]
fn a_log_that_is_distributed_already_stays_as_it_is() -> TestResult {
    let mut conn = local_log(3)?;
    distribute(&mut conn)?;
    let (shards_before, before) = (shards(&mut conn)?, entries(&mut conn)?);
    distribute(&mut conn)?;
    assert_eq!((shards(&mut conn)?, entries(&mut conn)?), (shards_before, before));
    Ok(())
}

#[test]
fn several_processes_may_distribute_a_log_at_once() -> TestResult {
    let log = SharedLog::without_table()?;
    run_migrations(&mut log.connect()?)?;
    record_numbered(&mut log.connect()?, 10)?;
    std::thread::scope(|scope| -> TestResult {
        let starters = (0..4).map(|_| scope.spawn(|| Ok(distribute(&mut log.connect()?)?))).collect::<Vec<_>>();
        starters.into_iter().try_for_each(|starter| starter.join().map_err(|_| "a thread panicked")?)
    })?;
    assert_eq!(entries(&mut log.connect()?)?.len(), 10);
    Ok(())
}

#[test]
fn a_log_comes_back_to_one_server_whole() -> TestResult {
    let mut conn = local_log(1_000)?;
    distribute(&mut conn)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1_001))?;
    let before = entries(&mut conn)?;
    undistribute(&mut conn)?;
    assert_eq!(shards(&mut conn)?, 0);
    assert_eq!(check(&mut conn)?, []);
    assert_eq!(entries(&mut conn)?, before);
    assert_eq!(ActivityLogRepository::new(&mut conn).record(&numbered(1_002))?, 1_002);
    undistribute(&mut conn)?;
    assert_eq!(entries(&mut conn)?.len(), 1_002);
    Ok(())
}

#[test]
fn distributing_in_a_transaction_that_is_rolled_back_changes_nothing() -> TestResult {
    let mut conn = local_log(10)?;
    let outcome = conn.transaction::<(), Error, _>(|conn| {
        distribute(conn)?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(matches!(outcome, Err(Error::Database(diesel::result::Error::RollbackTransaction))), "{outcome:?}");
    assert_eq!((shards(&mut conn)?, entries(&mut conn)?.len()), (0, 10));
    Ok(())
}

#[test]
fn a_distributed_log_is_whole_to_start_up() -> TestResult {
    let mut conn = local_log(3)?;
    distribute(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn start_up_puts_back_an_index_on_all_shards() -> TestResult {
    let mut conn = local_log(100)?;
    distribute(&mut conn)?;
    conn.batch_execute("DROP INDEX activity_log_kind")?;
    let missing = Problem::Missing { kind: "index".to_owned(), name: "activity_log_kind".to_owned() };
    assert_eq!(check(&mut conn)?, [missing]);
    run_migrations(&mut conn)?;
    assert_eq!(check(&mut conn)?, []);
    assert_eq!(entries(&mut conn)?.len(), 100);
    Ok(())
}

/// The reason that is given.
fn refused(conn: &mut Connection) -> TestResult<String> {
    match distribute(conn) {
        Err(Error::CannotCreate { reason, .. }) => Ok(reason),
        other => Err(format!("{other:?}").into()),
    }
}

#[test]
fn a_log_that_citus_refuses_stays_as_it_is() -> TestResult {
    let mut conn = local_log(10)?;
    conn.batch_execute(&refusing_trigger("nobody", "Refused"))?;
    let reason = refused(&mut conn)?;
    assert!(reason.contains("trigger"), "{reason}");
    assert_eq!((shards(&mut conn)?, entries(&mut conn)?.len()), (0, 10));
    Ok(())
}

#[test]
fn a_log_that_was_distributed_by_another_column_is_refused_by_name() -> TestResult {
    let mut conn = local_log(10)?;
    conn.batch_execute(
        "ALTER TABLE activity_log DROP CONSTRAINT activity_log_pkey; \
        SELECT create_distributed_table('activity_log', 'actor', colocate_with => 'none')",
    )?;
    let reason = refused(&mut conn)?;
    assert!(reason.contains("`actor`"), "{reason}");
    assert_eq!(entries(&mut conn)?.len(), 10);
    Ok(())
}

#[test]
fn a_log_with_rollups_is_distributed_without_them_and_counts_right() -> TestResult {
    let mut conn = local_log(100)?;
    enable_rollups(&mut conn)?;
    distribute(&mut conn)?;
    let refused = enable_rollups(&mut conn);
    assert!(
        matches!(&refused, Err(Error::CannotCreate { reason, .. }) if reason.contains("distributed")),
        "{refused:?}"
    );
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 100);
    assert_eq!(check(&mut conn)?, []);
    Ok(())
}

#[test]
fn a_database_without_a_log_is_refused_by_name() -> TestResult {
    let reason = refused(&mut empty_database()?)?;
    assert!(reason.contains("activity_log"), "{reason}");
    Ok(())
}
