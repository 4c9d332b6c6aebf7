//! A log moves between SQLite and PostgreSQL, either way, by its export.

use activity_log::{ActivityLogEntry, ActivitySeverity, NewActivityLogEntry, export};
use chrono::{DateTime, TimeDelta};

use crate::database::{ActivityLogRepository, empty_log};
use crate::support::{TestResult, everything, ndjson, numbered};

/// Entries with equal times, times that go back, and texts that one of the databases may not take for granted.
fn entries() -> Vec<NewActivityLogEntry> {
    let entries = (0..2_500).map(|number: i64| {
        let text = ["plain", "nul \0", "quote ' \" \\", "ÄÖ ß", "\u{FFFE}", "%_", ""];
        let text = text.get(usize::try_from(number).unwrap_or_default() % text.len()).copied().unwrap_or_default();
        numbered(number)
            .ts(DateTime::UNIX_EPOCH + TimeDelta::microseconds((number % 7) * 1_000_003 - number / 7))
            .severity(if number % 3 == 0 { ActivitySeverity::Error } else { ActivitySeverity::Info })
            .entity("device", text)
            .entity_name(text)
            .metadata_value(text, f64::from(i32::try_from(number).unwrap_or_default()) / 3.0)
            .metadata_value("-0", -0.0)
            .metadata_value("text", text)
    });
    entries.collect()
}

/// The entries of an export without their numbers, which the other log gives anew.
fn without_seq(entries: &[ActivityLogEntry]) -> Vec<NewActivityLogEntry> {
    entries.iter().cloned().map(NewActivityLogEntry::from).collect()
}

/// Reads an export in batches, as a host restores it.
fn batches(file: &[u8]) -> TestResult<Vec<Vec<NewActivityLogEntry>>> {
    let entries = export::read_ndjson(file).collect::<activity_log::Result<Vec<_>>>()?;
    Ok(entries.chunks(1_000).map(without_seq).collect())
}

#[test]
fn a_log_moves_from_sqlite_to_postgresql_and_back_with_its_ids_times_and_order() -> TestResult {
    let mut sqlite = activity_log::connect(":memory:")?;
    activity_log::run_migrations(&mut sqlite)?;
    let mut in_sqlite = activity_log::ActivityLogRepository::new(&mut sqlite);
    in_sqlite.record_all(&entries())?;
    let before = in_sqlite.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(before.len(), 2_500);

    let mut postgresql = empty_log()?;
    let mut in_postgresql = ActivityLogRepository::new(&mut postgresql);
    for batch in batches(&ndjson(before.iter().cloned().map(Ok))?)? {
        in_postgresql.record_all(&batch)?;
    }
    let moved = in_postgresql.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(without_seq(&moved), without_seq(&before));
    assert!(moved.is_sorted_by_key(|entry| entry.seq));

    let mut sqlite = activity_log::connect(":memory:")?;
    activity_log::run_migrations(&mut sqlite)?;
    let mut in_sqlite = activity_log::ActivityLogRepository::new(&mut sqlite);
    for batch in batches(&ndjson(moved.into_iter().map(Ok))?)? {
        in_sqlite.record_all(&batch)?;
    }
    let back = in_sqlite.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(without_seq(&back), without_seq(&before));
    Ok(())
}
