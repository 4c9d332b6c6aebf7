//! What an erased person leaves in the database's files.

use std::fs;
use std::path::Path;

use activity_log::{
    ActivityLogRepository, ActivitySeverity, Error, NewActivityLogEntry, check, connect, enable_search, run_migrations,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::database::SharedLog;
use crate::kinds::of_actor;
use crate::support::{TestResult, everything, numbered, record_numbered};

const PERSON: &str = "wilhelmina.featherstonehaugh";
const ACTORS: i64 = 500;

fn actor(number: i64) -> String {
    match number % ACTORS {
        17 => PERSON.to_owned(),
        other => format!("user {other:03} {}", "x".repeat((other % 40) as usize)),
    }
}

fn entry(number: i64) -> NewActivityLogEntry {
    let actor = actor(number);
    let severity = if number % 3 == 0 { ActivitySeverity::Error } else { ActivitySeverity::Info };
    let message = format!("{actor} changed device {number} {}", "and so on ".repeat((number % 30) as usize));
    NewActivityLogEntry { actor: actor.clone(), message, ..numbered(number) }
        .id(format!("entry {number}"))
        .severity(severity)
        .entity("user", &actor)
        .entity_name(&actor)
        .metadata_value("by", actor.clone())
        .metadata_value("session", format!("session of {actor} at 192.0.2.7"))
}

/// How often the person's name stands in the database's files, in either case.
fn traces(path: &Path) -> TestResult<usize> {
    let mut traces = 0;
    for file in fs::read_dir(path.parent().ok_or("no folder")?)? {
        let bytes = fs::read(file?.path())?.to_ascii_lowercase();
        traces += String::from_utf8_lossy(&bytes).matches(PERSON).count();
    }
    Ok(traces)
}

/// A log in which the person has left traces wherever SQLite may keep them.
fn used_log(path: &Path, incremental: bool, with_search: bool) -> TestResult<SqliteConnection> {
    let url = path.display().to_string();
    if !incremental {
        SqliteConnection::establish(&url)?.batch_execute("CREATE TABLE devices (id INTEGER PRIMARY KEY)")?;
    }
    let mut conn = connect(&url)?;
    run_migrations(&mut conn)?;
    if with_search {
        enable_search(&mut conn)?;
    }
    let mut log = ActivityLogRepository::new(&mut conn);
    for first in (0..13_000).step_by(500) {
        log.record_all(&(first..first + 500).map(entry).collect::<Vec<_>>())?;
    }
    log.prune(None, Some(11_000))?;
    conn.batch_execute(
        "UPDATE activity_log SET actor = actor || ' ' WHERE seq % 7 = 0; \
         DELETE FROM activity_log WHERE seq % 3 = 0; \
         UPDATE activity_log SET actor = rtrim(actor); \
         ANALYZE",
    )?;
    Ok(conn)
}

#[test]
fn nothing_in_the_files_names_an_erased_person() -> TestResult {
    for (incremental, with_search) in [(true, false), (true, true), (false, false), (false, true)] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.db");
        let mut conn = used_log(&path, incremental, with_search)?;
        assert!(traces(&path)? > 100);
        let erased = ActivityLogRepository::new(&mut conn).erase_actor(PERSON, "erased user")?;
        assert_eq!(erased, 15);
        assert_eq!(traces(&path)?, 0, "incremental: {incremental}, search: {with_search}");
        assert_eq!(check(&mut conn)?, []);
        drop(conn);
        assert_eq!(traces(&path)?, 0);
    }
    Ok(())
}

#[test]
fn without_vacuum_no_table_or_index_names_an_erased_person() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.db");
    let mut conn = used_log(&path, true, true)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).without_vacuum().erase_actor(PERSON, "erased user")?, 15);
    let copy = folder.path().join("copy").join("log.db");
    fs::create_dir(folder.path().join("copy"))?;
    conn.batch_execute(&format!("VACUUM INTO '{}'", copy.display()))?;
    assert_eq!(traces(&copy)?, 0);
    Ok(())
}

#[test]
fn erasing_again_after_the_callers_transaction_cleans_the_file() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.db");
    let mut conn = used_log(&path, true, true)?;
    let erased = conn.immediate_transaction::<_, Error, _>(|conn| {
        ActivityLogRepository::new(conn).erase_actor(PERSON, "erased user")
    })?;
    assert_eq!(erased, 15);
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&of_actor(PERSON, everything()))?, 0);
    assert_eq!(check(&mut conn)?, []);
    assert_eq!(ActivityLogRepository::new(&mut conn).erase_actor(PERSON, "erased user")?, 0);
    assert_eq!(traces(&path)?, 0);
    Ok(())
}

#[test]
fn a_reader_that_keeps_the_write_ahead_log_from_being_emptied_is_reported() -> TestResult {
    let file = SharedLog::create()?;
    let (mut conn, mut reader) = (file.connect()?, file.connect()?);
    record_numbered(&mut conn, 100)?;
    conn.batch_execute("PRAGMA busy_timeout = 50")?;
    reader.batch_execute("BEGIN; SELECT count(*) FROM activity_log")?;
    let rewritten = ActivityLogRepository::new(&mut conn).rewrite(&everything(), |entry| entry.actor = "x".to_owned());
    assert!(matches!(rewritten, Err(Error::Busy(_))), "{rewritten:?}");
    reader.batch_execute("COMMIT")?;
    assert_eq!(ActivityLogRepository::new(&mut conn).rewrite(&everything(), |entry| entry.actor = "x".to_owned())?, 0);
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&of_actor("x", everything()))?, 100);
    Ok(())
}

#[test]
fn the_connection_deletes_as_before_afterwards() -> TestResult {
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        secure_delete: i64,
    }

    let mut conn = connect(":memory:")?;
    run_migrations(&mut conn)?;
    for (mode, stored) in [("0", 0), ("1", 1), ("FAST", 2)] {
        conn.batch_execute(&format!("PRAGMA secure_delete = {mode}"))?;
        ActivityLogRepository::new(&mut conn).rewrite(&everything(), |_| {})?;
        let now = diesel::sql_query("PRAGMA secure_delete").get_result::<Mode>(&mut conn)?;
        assert_eq!(now.secure_delete, stored);
    }
    Ok(())
}

#[test]
fn an_entry_that_a_trigger_of_the_host_keeps_is_reported_and_all_others_are_rewritten() -> TestResult {
    for raise in ["IGNORE", "ABORT, 'kept'", "FAIL, 'kept'"] {
        let file = SharedLog::create()?;
        let mut conn = file.connect()?;
        record_numbered(&mut conn, 500)?;
        conn.batch_execute(&format!(
            "CREATE TRIGGER keep BEFORE UPDATE ON activity_log WHEN old.seq = 300 BEGIN SELECT RAISE({raise}); END"
        ))?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let rewritten = log.rewrite(&everything(), |entry| entry.actor = "x".to_owned());
        assert!(matches!(rewritten, Err(Error::NotRewritten { seq: 300, .. })), "{raise}: {rewritten:?}");
        assert_eq!(log.count(&of_actor("x", everything()))?, 499, "{raise}");
    }
    Ok(())
}

#[test]
fn the_rows_of_a_hosts_table_keep_their_numbers() -> TestResult {
    #[derive(QueryableByName)]
    struct Note {
        #[diesel(sql_type = diesel::sql_types::Text)]
        body: String,
    }

    let file = SharedLog::create()?;
    let mut conn = file.connect()?;
    conn.batch_execute(
        "CREATE TABLE notes (body TEXT); CREATE VIRTUAL TABLE notes_index USING fts5(body, content = 'notes'); \
         INSERT INTO notes VALUES ('one'), ('two'), ('three'); \
         INSERT INTO notes_index (rowid, body) SELECT rowid, body FROM notes; \
         INSERT INTO notes_index (notes_index, rowid, body) VALUES ('delete', 1, 'one'); \
         DELETE FROM notes WHERE rowid = 1",
    )?;
    ActivityLogRepository::new(&mut conn).erase_actor("nobody", "x")?;
    let found = "SELECT notes.body FROM notes_index JOIN notes ON notes.rowid = notes_index.rowid \
        WHERE notes_index MATCH 'two'";
    assert_eq!(diesel::sql_query(found).get_result::<Note>(&mut conn)?.body, "two");
    Ok(())
}

#[test]
fn without_vacuum_free_pages_and_indexes_are_overwritten() -> TestResult {
    for incremental in [true, false] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.db");
        let url = path.display().to_string();
        if !incremental {
            SqliteConnection::establish(&url)?.batch_execute("CREATE TABLE devices (name TEXT)")?;
        }
        let mut conn = connect(&url)?;
        run_migrations(&mut conn)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        for first in (0..13_000).step_by(500) {
            log.record_all(&(first..first + 500).map(entry).collect::<Vec<_>>())?;
        }
        log.prune(None, Some(9_000))?;
        assert!(traces(&path)? > 100);
        log.without_vacuum().erase_actor(PERSON, "erased user")?;
        assert_eq!(traces(&path)?, 0, "incremental: {incremental}");
    }
    Ok(())
}
