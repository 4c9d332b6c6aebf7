//! Times as PostgreSQL stores them: microseconds since the beginning of 2000, in UTC.

use chrono::{DateTime, Utc};
use diesel::pg::data_types::PgTimestamp;

/// 2000-01-01T00:00:00Z, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

/// The first instant that PostgreSQL accepts, in the year 4714 BC. It accepts all that chrono has after it.
const FIRST: i64 = -211_813_488_000_000_000;

/// The time, or the first one that PostgreSQL accepts.
pub(crate) fn encode(time: DateTime<Utc>) -> PgTimestamp {
    PgTimestamp(time.timestamp_micros().saturating_sub(EPOCH).max(FIRST))
}

/// The time, or why it is none.
pub(crate) fn decode(PgTimestamp(micros): PgTimestamp) -> Result<DateTime<Utc>, String> {
    match micros {
        i64::MAX => Err("is infinity".to_owned()),
        i64::MIN => Err("is -infinity".to_owned()),
        _ => micros
            .checked_add(EPOCH)
            .and_then(DateTime::from_timestamp_micros)
            .ok_or_else(|| "is outside the years that can be represented".to_owned()),
    }
}
