//! Every call form that hosts use compiles. A generic repository must not need type annotations at the call site.

use activity_log::{ActivityLogFilters, ActivityLogRepository, Backend, NewActivityLogEntry, Repository, Result};
use diesel::prelude::*;

use crate::database::empty_log;
use crate::support::{TestResult, everything, numbered};

#[test]
fn a_repository_is_made_from_a_reference() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.record(&numbered(1))?, 1);
    Ok(())
}

#[cfg(feature = "r2d2")]
#[test]
fn a_pooled_connection_is_dereferenced_automatically() -> TestResult {
    use diesel::r2d2::{ConnectionManager, Pool};

    let folder = tempfile::tempdir()?;
    let url = folder.path().join("log.db").display().to_string();
    let pool = Pool::builder()
        .connection_customizer(Box::new(activity_log::ConnectionCustomizer))
        .build(ConnectionManager::<SqliteConnection>::new(url))?;
    let mut pooled = pool.get()?;
    activity_log::run_migrations(&mut pooled)?;
    assert_eq!(ActivityLogRepository::new(&mut pooled).record(&numbered(1))?, 1);
    Ok(())
}

#[test]
fn a_closure_needs_no_type_for_its_connection() -> TestResult {
    let mut conn = empty_log()?;
    let record = |conn: &mut _| ActivityLogRepository::new(conn).record(&numbered(1));
    assert_eq!(record(&mut conn)?, 1);
    let seq = conn.transaction(|conn| ActivityLogRepository::new(conn).record(&numbered(2)))?;
    assert_eq!(seq, 2);
    Ok(())
}

#[test]
fn methods_are_called_through_function_pointers() -> TestResult {
    type Count = fn(&mut ActivityLogRepository<'_>, &ActivityLogFilters) -> Result<u64>;
    const COUNT: Count = |log, filters| log.count(filters);

    fn count_with<'conn>(
        conn: &'conn mut SqliteConnection,
        new: fn(&'conn mut SqliteConnection) -> ActivityLogRepository<'conn>,
        record: fn(&mut ActivityLogRepository<'conn>, &NewActivityLogEntry) -> Result<i64>,
    ) -> Result<u64> {
        let mut log = new(conn);
        record(&mut log, &numbered(1))?;
        COUNT(&mut log, &everything())
    }
    assert_eq!(count_with(&mut empty_log()?, ActivityLogRepository::new, ActivityLogRepository::record)?, 1);
    Ok(())
}

#[test]
fn a_repository_is_a_field_and_a_parameter() -> TestResult {
    struct Admin<'conn> {
        log: ActivityLogRepository<'conn>,
    }
    fn count(log: &mut ActivityLogRepository) -> Result<u64> {
        log.count(&ActivityLogFilters::default())
    }

    let mut conn = empty_log()?;
    let mut admin = Admin { log: ActivityLogRepository::new(&mut conn) };
    assert_eq!(count(&mut admin.log)?, 0);
    Ok(())
}

#[test]
fn an_export_outlives_its_filters_and_ends_with_its_repository() -> TestResult {
    fn export<'a, 'conn>(
        log: &'a mut ActivityLogRepository<'conn>,
    ) -> Result<impl Iterator<Item = Result<i64>> + use<'a, 'conn>> {
        let filters = ActivityLogFilters::default();
        Ok(log.iter_export(&filters)?.map(|entry| entry.map(|entry| entry.seq)))
    }

    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&numbered(1))?;
    assert_eq!(export(&mut log)?.collect::<Result<Vec<_>>>()?, [1]);
    Ok(())
}

#[test]
fn code_can_be_generic_over_the_database() -> TestResult {
    fn record_one<C: Backend>(conn: &mut C) -> Result<i64> {
        Repository::new(conn).record(&numbered(1))
    }
    assert_eq!(record_one(&mut empty_log()?)?, 1);
    Ok(())
}
