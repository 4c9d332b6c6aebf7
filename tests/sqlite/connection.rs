//! A connection has the settings that the log needs, however it was opened.

use std::path::Path;

use activity_log::{ActivityLogRepository, Error, configure, connect, run_migrations};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::behaviour::secrets_and_limits::SECRET;
use crate::support::{TestResult, everything, numbered, printed};

#[derive(QueryableByName, Debug, PartialEq)]
struct Settings {
    #[diesel(sql_type = Text)]
    journal_mode: String,
    #[diesel(sql_type = BigInt)]
    synchronous: i64,
    #[diesel(sql_type = BigInt)]
    timeout: i64,
    #[diesel(sql_type = BigInt)]
    foreign_keys: i64,
}

fn settings(conn: &mut SqliteConnection) -> TestResult<Settings> {
    let all = "SELECT * FROM pragma_journal_mode, pragma_synchronous, pragma_busy_timeout, pragma_foreign_keys";
    Ok(diesel::sql_query(all).get_result(conn)?)
}

fn wanted(journal_mode: &str) -> Settings {
    Settings { journal_mode: journal_mode.to_owned(), synchronous: 2, timeout: 5_000, foreign_keys: 1 }
}

fn records(conn: &mut SqliteConnection) -> TestResult {
    run_migrations(conn)?;
    let mut log = ActivityLogRepository::new(conn);
    log.record(&numbered(1))?;
    assert_eq!(log.count(&everything())?, 1);
    Ok(())
}

#[test]
fn a_file_is_opened_with_the_settings_for_a_log() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut conn = connect(&folder.path().join("log.db").display().to_string())?;
    assert_eq!(settings(&mut conn)?, wanted("wal"));
    records(&mut conn)
}

#[test]
fn an_in_memory_database_keeps_its_journal_in_memory() -> TestResult {
    let mut conn = connect(":memory:")?;
    assert_eq!(settings(&mut conn)?, wanted("memory"));
    records(&mut conn)
}

#[test]
fn file_and_sqlite_urls_name_a_file() -> TestResult {
    for scheme in ["file:", "sqlite:", "sqlite://"] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.db");
        let mut conn = connect(&format!("{scheme}{}?cache=private", path.display()))?;
        assert_eq!(settings(&mut conn)?, wanted("wal"), "{scheme}");
        records(&mut conn)?;
        assert!(path.is_file(), "{scheme}");
    }
    Ok(())
}

#[test]
fn a_database_in_memory_has_the_url_that_other_libraries_use() -> TestResult {
    let mut conn = connect("sqlite::memory:")?;
    assert_eq!(settings(&mut conn)?, wanted("memory"));
    assert!(!Path::new(":memory:").exists());
    Ok(())
}

#[test]
fn a_url_of_another_database_is_refused_and_creates_no_file() -> TestResult {
    for url in ["postgres://localhost/shop", "mysql://localhost/shop", "libsql://shop"] {
        let refused = connect(url).map(drop);
        let message = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("not of an SQLite database"), "{url}: {message}");
    }
    Ok(())
}

#[test]
fn a_shared_memory_url_is_one_database_for_its_connections() -> TestResult {
    let url = "file:shared-by-this-test?mode=memory&cache=shared";
    let (mut one, mut other) = (connect(url)?, connect(url)?);
    records(&mut one)?;
    assert_eq!(ActivityLogRepository::new(&mut other).count(&everything())?, 1);
    Ok(())
}

#[test]
fn a_connection_of_the_host_is_configured_the_same_way() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut conn = SqliteConnection::establish(&folder.path().join("host.db").display().to_string())?;
    configure(&mut conn)?;
    assert_eq!(settings(&mut conn)?, wanted("wal"));
    configure(&mut conn)?;
    assert_eq!(settings(&mut conn)?, wanted("wal"));
    Ok(())
}

#[test]
fn a_host_may_change_the_settings_afterwards() -> TestResult {
    let mut conn = connect(":memory:")?;
    conn.batch_execute("PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 100")?;
    run_migrations(&mut conn)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    assert_eq!(settings(&mut conn)?, Settings { synchronous: 1, timeout: 100, ..wanted("memory") });
    Ok(())
}

#[test]
fn a_file_that_cannot_be_opened_is_a_connection_error() -> TestResult {
    let folder = tempfile::tempdir()?;
    let missing = folder.path().join("no such folder").join("log.db").display().to_string();
    assert!(matches!(connect(&missing), Err(Error::Connection(_))));
    assert!(matches!(connect("nul\0in the path"), Err(Error::Connection(_))));
    Ok(())
}

#[test]
fn a_file_that_is_not_a_database_is_a_database_error() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.db");
    std::fs::write(&path, "This is not a database, and long enough to tell. ".repeat(20))?;
    assert!(matches!(connect(&path.display().to_string()), Err(Error::Database(_))));
    Ok(())
}

#[test]
fn settings_cannot_be_changed_inside_a_transaction() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut conn = SqliteConnection::establish(&folder.path().join("host.db").display().to_string())?;
    let refused = conn.transaction::<_, Error, _>(configure);
    assert!(matches!(refused, Err(Error::Database(diesel::result::Error::AlreadyInTransaction))), "{refused:?}");
    Ok(())
}

#[test]
fn a_database_without_write_ahead_logging_is_refused() -> TestResult {
    // A database without a name is a temporary file of SQLite.
    assert!(matches!(connect(""), Err(Error::JournalMode { mode }) if mode == "delete"));
    Ok(())
}

#[cfg(feature = "r2d2")]
#[test]
fn a_pool_configures_each_connection() -> TestResult {
    use diesel::r2d2::{ConnectionManager, Pool};

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("pooled.db").display().to_string();
    let pool = Pool::builder()
        .max_size(4)
        .connection_customizer(Box::new(activity_log::ConnectionCustomizer))
        .build(ConnectionManager::<SqliteConnection>::new(path))?;
    run_migrations(&mut *pool.get()?)?;
    let mut all = (0..4).map(|_| pool.get()).collect::<Result<Vec<_>, _>>()?;
    for conn in &mut all {
        assert_eq!(settings(conn)?, wanted("wal"));
    }
    Ok(())
}

#[test]
fn an_error_never_prints_the_url_of_the_database() -> TestResult {
    let bytes = format!("{:?}", SECRET.as_bytes());
    let bytes = bytes.trim_matches(['[', ']']);
    for url in [
        format!("file:/no/such/folder/log.db?key={SECRET}"),
        format!("file:log.db?vfs={SECRET}"),
        format!("/no/such/{SECRET}/log.db"),
        format!("sqlite://user:{SECRET}@host/log.db"),
        format!("nul\0{SECRET}"),
    ] {
        let printed = printed(&connect(&url).err().ok_or("the URL was opened")?);
        assert!(!printed.contains(SECRET) && !printed.contains(bytes), "{printed}");
    }
    Ok(())
}
