//! Times as clients write them.

use chrono::{DateTime, Utc};

/// Reads an RFC 3339 time; the error goes on after the name of what holds it.
pub(crate) fn rfc3339(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|error| format!("must be an RFC 3339 time such as 2026-01-31T12:00:00Z: {error}"))
}

/// Reads an RFC 3339 time from a query string, where the `+` of an offset stands for a space unless it is written `%2B`.
pub(crate) fn rfc3339_in_query(text: &str) -> Result<DateTime<Utc>, String> {
    match text.rsplit_once(' ') {
        Some((time, offset)) if offset.len() == "00:00".len() => rfc3339(&format!("{time}+{offset}")),
        _ => rfc3339(text),
    }
}
