//! SQLite's settings and what it says about the file.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::error::sqlite::LOCKED;

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// Switches to write-ahead logging if the database can, and returns the mode it is in afterwards.
pub(crate) fn enable_wal(conn: &mut SqliteConnection) -> QueryResult<String> {
    diesel::sql_query("PRAGMA journal_mode = WAL").get_result::<JournalMode>(conn).map(|row| row.journal_mode)
}

#[derive(QueryableByName)]
struct BusyTimeout {
    #[diesel(sql_type = BigInt)]
    timeout: i64,
}

/// How long the connection waits for a lock that another one holds.
pub(crate) fn busy_timeout(conn: &mut SqliteConnection) -> QueryResult<Duration> {
    let row = diesel::sql_query("PRAGMA busy_timeout").get_result::<BusyTimeout>(conn)?;
    Ok(Duration::from_millis(row.timeout.unsigned_abs()))
}

/// Sets how long the connection waits, in whole milliseconds.
pub(crate) fn set_busy_timeout(conn: &mut SqliteConnection, timeout: Duration) -> QueryResult<()> {
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", timeout.as_millis()))
}

#[derive(QueryableByName)]
struct ForeignKeys {
    #[diesel(sql_type = BigInt)]
    foreign_keys: i64,
}

/// Whether the connection enforces foreign keys.
pub(crate) fn enforces_foreign_keys(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let row = diesel::sql_query("PRAGMA foreign_keys").get_result::<ForeignKeys>(conn)?;
    Ok(row.foreign_keys != 0)
}

#[derive(QueryableByName)]
struct SpaceRow {
    #[diesel(sql_type = BigInt)]
    auto_vacuum: i64,
    #[diesel(sql_type = BigInt)]
    page_size: i64,
    #[diesel(sql_type = BigInt)]
    page_count: i64,
    #[diesel(sql_type = BigInt)]
    freelist_count: i64,
}

/// How full the database's file is.
pub(crate) struct FileSpace {
    /// Whether free pages can be returned without rewriting the file.
    pub(crate) incremental_vacuum: bool,
    /// In bytes.
    pub(crate) page_size: i64,
    /// Includes the free pages; 0 before the first write.
    pub(crate) pages: i64,
    pub(crate) free_pages: i64,
}

pub(crate) fn file_space(conn: &mut SqliteConnection) -> QueryResult<FileSpace> {
    let space = "SELECT * FROM pragma_auto_vacuum, pragma_page_size, pragma_page_count, pragma_freelist_count";
    let SpaceRow { auto_vacuum, page_size, page_count, freelist_count } = diesel::sql_query(space).get_result(conn)?;
    Ok(FileSpace { incremental_vacuum: auto_vacuum == 2, page_size, pages: page_count, free_pages: freelist_count })
}

#[derive(QueryableByName)]
struct DatabaseFile {
    #[diesel(sql_type = Nullable<Text>)]
    file: Option<String>,
}

/// The database's file; `None` for a database in memory.
pub(crate) fn database_file(conn: &mut SqliteConnection) -> QueryResult<Option<PathBuf>> {
    let main = diesel::sql_query("SELECT file FROM pragma_database_list WHERE name = 'main'");
    let file = main.get_result::<DatabaseFile>(conn)?.file;
    Ok(file.filter(|file| !file.is_empty()).map(PathBuf::from))
}

/// Copies the write-ahead log into the file and empties it, as far as that waits for nobody.
pub(crate) fn checkpoint(conn: &mut SqliteConnection) -> QueryResult<()> {
    // The first checkpoint does the work and takes no lock that a writer wants; the second has little left to do.
    conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE);")
}

#[derive(QueryableByName)]
struct SecureDelete {
    #[diesel(sql_type = BigInt)]
    secure_delete: i64,
}

/// Whether the connection overwrites what it deletes: 0 for never, 1 for always, 2 for only where that takes no extra
/// writes.
pub(crate) fn secure_delete(conn: &mut SqliteConnection) -> QueryResult<i64> {
    diesel::sql_query("PRAGMA main.secure_delete").get_result::<SecureDelete>(conn).map(|row| row.secure_delete)
}

pub(crate) fn set_secure_delete(conn: &mut SqliteConnection, mode: i64) -> QueryResult<()> {
    let mode = if mode == 2 { "FAST".to_owned() } else { mode.to_string() };
    conn.batch_execute(&format!("PRAGMA main.secure_delete = {mode}"))
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = BigInt)]
    busy: i64,
}

/// Copies the write-ahead log into the file and empties it. It fails as busy while a reader needs the log.
pub(crate) fn checkpoint_fully(conn: &mut SqliteConnection) -> QueryResult<()> {
    let checkpoint = diesel::sql_query("PRAGMA main.wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(conn)?;
    if checkpoint.busy == 0 {
        return Ok(());
    }
    Err(DatabaseError(DatabaseErrorKind::Unknown, Box::new(LOCKED.to_owned())))
}
