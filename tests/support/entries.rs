//! Fixed entries, and the entries that they read back as.

use std::error::Error;

use activity_log::{ActivityLogEntry, NewActivityLogEntry, export};
use chrono::{DateTime, TimeDelta, Utc};

/// A test fails with the first error of any type.
pub(crate) type TestResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The instant that an RFC 3339 text names.
pub(crate) fn at(text: &str) -> TestResult<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(text).map_err(|error| format!("{text}: {error}"))?.to_utc())
}

/// One of a series of entries a minute apart that differ only in their number.
pub(crate) fn numbered(number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry::new("system", "tick", "clock", format!("Tick {number}"))
        .id(format!("al_{number:08x}"))
        .ts(DateTime::UNIX_EPOCH + TimeDelta::minutes(number))
}

/// The entry that is read back after `seq` was assigned.
pub(crate) fn read_back(entry: NewActivityLogEntry, seq: i64) -> ActivityLogEntry {
    let NewActivityLogEntry {
        id,
        ts,
        category,
        action,
        severity,
        actor,
        entity_type,
        entity_id,
        entity_name,
        message,
        metadata,
    } = entry;
    ActivityLogEntry {
        seq,
        id,
        ts,
        category,
        action,
        severity,
        actor,
        entity_type,
        entity_id,
        entity_name,
        message,
        metadata,
    }
}

/// The entries as newline-delimited JSON.
pub(crate) fn ndjson(entries: impl IntoIterator<Item = activity_log::Result<ActivityLogEntry>>) -> TestResult<Vec<u8>> {
    let mut file = Vec::new();
    export::write_ndjson(entries, &mut file)?;
    Ok(file)
}

/// Whether the program has turned on `serde_json`'s feature `arbitrary_precision`, with which numbers keep their digits.
pub(crate) fn numbers_keep_their_digits() -> bool {
    "1.00".parse::<serde_json::Number>().is_ok_and(|number| number.to_string() == "1.00")
}
