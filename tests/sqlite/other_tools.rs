//! A log that another tool has rebuilt, copied or restored is whole after the next start.
//!
//! Needs `sqlite3`, and `python3` with the packages sqlite-utils and Alembic.

use std::path::Path;
use std::process::{Command, Stdio};

use activity_log::{ActivityLogFilters, ActivityLogRepository, check, connect, enable_search, run_migrations};

use crate::kinds::{category, count, found, insert_as_others_do, of_actor};
use crate::support::{TestResult, everything, numbered, seqs};

/// Runs a program to its end.
fn run(command: &mut Command) -> TestResult {
    let output = command.stdin(Stdio::null()).output()?;
    let problems = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {problems}").into()) }
}

fn shell(log: &Path, commands: &[&str]) -> TestResult {
    run(Command::new("sqlite3").arg("-bail").arg(log).args(commands))
}

/// Runs a Python script with the paths of the log and of its copy.
fn python(log: &Path, copy: &Path, script: &str) -> TestResult {
    run(Command::new("python3").arg("-c").arg(script).arg(log).arg(copy))
}

/// Lets `tool` change a log, or write a copy of it to the other path, and expects the outcome to be whole after the next
/// start, in which every change is seen from then on.
fn assert_whole_after(tool: impl Fn(&Path, &Path) -> TestResult) -> TestResult {
    assert_whole_with(&[false, true], tool)
}

fn assert_whole_with(search: &[bool], tool: impl Fn(&Path, &Path) -> TestResult) -> TestResult {
    for &with_search in search {
        let folder = tempfile::tempdir()?;
        let (path, copy) = (folder.path().join("log.db"), folder.path().join("copy.db"));
        let mut conn = connect(&path.display().to_string())?;
        run_migrations(&mut conn)?;
        insert_as_others_do(&mut conn, 13_000, 7)?;
        run_migrations(&mut conn)?;
        if with_search {
            enable_search(&mut conn)?;
        }
        let filters = of_actor("user 1", category("area 1"));
        let before = found(&mut conn, &filters)?;
        drop(conn);

        tool(&path, &copy)?;
        let outcome = if copy.exists() { copy } else { path };
        let mut conn = connect(&outcome.display().to_string())?;
        run_migrations(&mut conn)?;
        if with_search {
            enable_search(&mut conn)?;
        }
        let problems = check(&mut conn)?;
        assert!(problems.iter().all(|problem| *problem == activity_log::Problem::NoAutoincrement), "{problems:?}");
        assert_eq!(found(&mut conn, &filters)?, before);
        let mut log = ActivityLogRepository::new(&mut conn);
        assert_eq!(log.record(&numbered(13_001))?, 13_001);
        let ticks = ActivityLogFilters { message_contains: Some("tick 13001".to_owned()), ..everything() };
        assert_eq!(seqs(&log.query(&ticks, None, 9)?), [13_001]);
        assert_eq!(log.prune(None, Some(1_000))?, 12_001);
        assert_eq!(count(&mut conn, &everything())?, 1_000);
        assert_eq!(found(&mut conn, &category("system"))?, [13_001]);
    }
    Ok(())
}

#[test]
#[ignore = "needs sqlite-utils"]
fn sqlite_utils_transforms_the_table() -> TestResult {
    assert_whole_after(|log, copy| {
        python(
            log,
            copy,
            "import sys, sqlite_utils\n\
             sqlite_utils.Database(sys.argv[1])['activity_log'].transform(types={'entity_name': str})",
        )
    })
}

#[test]
#[ignore = "needs Alembic"]
fn alembic_alters_the_table_in_batch_mode() -> TestResult {
    assert_whole_after(|log, copy| {
        python(
            log,
            copy,
            "import sys, sqlalchemy\n\
             from alembic.migration import MigrationContext\n\
             from alembic.operations import Operations\n\
             with sqlalchemy.create_engine('sqlite:///' + sys.argv[1]).begin() as conn:\n    \
                 with Operations(MigrationContext.configure(conn)).batch_alter_table('activity_log') as batch:\n        \
                     batch.alter_column('entity_name', type_=sqlalchemy.String(200))",
        )
    })
}

#[test]
#[ignore = "needs sqlite3"]
fn a_dump_is_restored() -> TestResult {
    assert_whole_after(|log, copy| {
        let dump = log.with_extension("sql");
        shell(log, &[&format!(".once {}", dump.display()), ".dump"])?;
        shell(copy, &[&format!(".read {}", dump.display())])
    })
}

#[test]
#[ignore = "needs sqlite3"]
fn a_dump_of_the_logs_table_alone_is_restored() -> TestResult {
    assert_whole_after(|log, copy| {
        let dump = log.with_extension("sql");
        shell(log, &[&format!(".once {}", dump.display()), ".dump activity_log"])?;
        shell(copy, &[&format!(".read {}", dump.display())])
    })
}

#[test]
#[ignore = "needs sqlite3"]
fn the_database_is_cloned() -> TestResult {
    assert_whole_after(|log, copy| shell(log, &[&format!(".clone {}", copy.display())]))
}

#[test]
#[ignore = "needs sqlite3"]
fn a_backup_is_restored() -> TestResult {
    assert_whole_after(|log, copy| shell(log, &[&format!(".backup {}", copy.display())]))
}

#[test]
#[ignore = "needs sqlite3"]
fn the_database_is_vacuumed_into_another_file() -> TestResult {
    assert_whole_after(|log, copy| shell(log, &[&format!("VACUUM INTO '{}'", copy.display())]))
}

#[test]
#[ignore = "needs Python"]
fn pythons_dump_is_restored() -> TestResult {
    // It knows no virtual tables.
    assert_whole_with(&[false], |log, copy| {
        python(
            log,
            copy,
            "import sqlite3, sys\n\
             dump = '\\n'.join(sqlite3.connect(sys.argv[1]).iterdump())\n\
             sqlite3.connect(sys.argv[2]).executescript(dump)",
        )
    })
}
