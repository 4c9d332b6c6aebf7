//! Times as clients write them.

use chrono::{DateTime, Utc};

/// Parses an RFC 3339 time. The error continues the sentence after the name of the field or parameter.
pub(crate) fn rfc3339(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|error| format!("must be an RFC 3339 time such as 2026-01-31T12:00:00Z: {error}"))
}

/// Parses an RFC 3339 time from a query string. The `+` of an offset decodes to a space there, unless the client wrote
/// `%2B`.
pub(crate) fn rfc3339_in_query(text: &str) -> Result<DateTime<Utc>, String> {
    match text.rsplit_once(' ') {
        Some((time, offset)) if offset.len() == "00:00".len() => rfc3339(&format!("{time}+{offset}")),
        _ => rfc3339(text),
    }
}
